// Attention of rows with several new tokens on Hopper: warpgroup products, tensor copies.
//   launch   grid (tiles, kv heads); a tile is 64 query rows per consuming warpgroup = that many / heads per kv head tokens of one row
//            of the batch; one more warpgroup copies bf16 pages, or widens 8-bit ones to bf16 on the way
// Blocks of kKeys keys travel through a ring, the row's last first: those are the ones that need masks. A consumer computes the next
// block's scores beside the products of this block's weights with the values.
#pragma once
#include "ernie/attention/common.cuh"
#include "ernie/attention/warpgroup.cuh"
#include "ernie/common/float8.cuh"

namespace ernie {

struct AttentionTensorArgs {
    TensorMap keys; // this layer's bf16 pages as rows of 128 values, in boxes of 64 x 64; unused with 8-bit pages
    TensorMap values;
    AttentionArgs attention;
    QuantizedRows quantized; // kQuantizes: what the output is quantised to, a head being 128 values; without codes there is bf16 output
};

// Widens the pages of a block of kKeys keys from key first_key on into shared memory as tensor copies would leave them; zeros from
// key_count on. 128 threads. first_row: of each page's keys among all rows of the cache.
template <CacheFormat kFormat, int kPages>
__device__ __forceinline__ void widen_block(
    unsigned target, const void* pages, const float* scales, const int (&first_row)[kPages], int first_key, int key_count, int thread) {
    constexpr int kPageKeys = 64, kHalf = kPages * kPageKeys * 128, kBatch = 4;
#pragma unroll
    for (int first = 0; first < kPages * 4; first += kBatch) { // 16 rows at a time
        uint4 codes[kBatch];
        float scale[kBatch];
#pragma unroll
        for (int j = 0; j < kBatch; j++) {
            const int key = (first + j) * 16 + thread / 8, row = first_row[(first + j) / 4] + key % kPageKeys;
            const bool valid = first_key + key < key_count;
            codes[j] = valid ? static_cast<const uint4*>(pages)[static_cast<size_t>(row) * 8 + thread % 8] : uint4{0, 0, 0, 0};
            scale[j] = valid ? scales[row] * kWidenedUnit<kFormat> : 0;
        }
#pragma unroll
        for (int j = 0; j < kBatch; j++) {
            const int key = (first + j) * 16 + thread / 8, piece = thread % 8;
            const unsigned words[4] = {codes[j].x, codes[j].y, codes[j].z, codes[j].w};
            unsigned wide[8];
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const uint2 pairs = widen<kFormat>(words[i]);
                const float2 even = f16_to_float(pairs.x), odd = f16_to_float(pairs.y);
                wide[2 * i] = pack_bf16(even.x * scale[j], odd.x * scale[j]);
                wide[2 * i + 1] = pack_bf16(even.y * scale[j], odd.y * scale[j]);
            }
            const unsigned row = target + piece / 4 * kHalf + key * 128;
            store_shared(row + ((piece % 4 * 2) ^ (key % 8)) * 16, {wide[0], wide[1], wide[2], wide[3]});
            store_shared(row + ((piece % 4 * 2 + 1) ^ (key % 8)) * 16, {wide[4], wide[5], wide[6], wide[7]});
        }
    }
}

template <class Spec>
__device__ void attention_wgmma(const AttentionTensorArgs& tensor_args) {
#if __CUDA_ARCH__ == 900
    constexpr int kConsumers = Spec::kThreads / 128 - 1; // warpgroups
    constexpr int kRows = 64 * kConsumers;
    constexpr int kGroup = Spec::kHeads / Spec::kKeyValueHeads;
    constexpr int kTileTokens = kRows / kGroup;
    constexpr int kPageKeys = Spec::kTokensPerPage;
    constexpr int kPages = Spec::kPagesPerBlock;
    constexpr int kKeys = kPages * kPageKeys;
    constexpr int kStages = Spec::kStages;
    constexpr int kQueryHalf = kRows * 128, kKeyHalf = kKeys * 128; // bytes of 64 of a head's 128 columns
    constexpr CacheFormat kFormat = Spec::kCache;
    constexpr bool kScaled = kFormat != CacheFormat::kBfloat16;
    // Together what the launch gives all warpgroups.
    constexpr int kConsumerRegisters = kConsumers == 2 ? (kScaled ? 208 : 240) : (kScaled ? 144 : 160);
    constexpr int kProducerRegisters = kConsumers == 2 ? (kScaled ? 80 : 24) : (kScaled ? 72 : 32);
    static_assert(Spec::kHeadSize == 128 && kPageKeys == 64 && kRows % kGroup == 0, "whole tokens per tile, pages of a box");

    extern __shared__ uint4 memory[]; // 1,024-byte aligned: queries, then per stage keys, then per stage values, each [half][row][128 bytes]
    __shared__ unsigned long long barriers[4 * kStages]; // keys full, keys empty, values full, values empty
    const AttentionArgs& args = tensor_args.attention;
    const unsigned queries = (shared_address(memory) + 1023) / 1024 * 1024;
    const unsigned all_keys = queries + 2 * kQueryHalf, all_values = all_keys + kStages * 2 * kKeyHalf;
    const unsigned keys_full = shared_address(barriers), keys_empty = keys_full + 8 * kStages;
    const unsigned values_full = keys_empty + 8 * kStages, values_empty = values_full + 8 * kStages;
    const int group = threadIdx.x / 128, head = blockIdx.y;
    allow_next_kernel();
    if (threadIdx.x == 0) {
        for (int i = 0; i < kStages; i++) {
            initialize_barrier(keys_full + 8 * i, kScaled ? 4 : 1);
            initialize_barrier(values_full + 8 * i, kScaled ? 4 : 1);
            initialize_barrier(keys_empty + 8 * i, 4 * kConsumers);
            initialize_barrier(values_empty + 8 * i, 4 * kConsumers);
        }
        publish_barriers();
    }
    __syncthreads();
    wait_for_previous_kernel();

    const StepRows rows = step_rows(args.header, args.row_capacity);
    const int2 tile = args.tiles[blockIdx.x];
    const int row = tile.x, start = rows.start[row] + tile.y; // position of the tile's first token
    const int tile_tokens = min(kTileTokens, rows.count[row] - tile.y);
    const int key_count = start + tile_tokens;
    const int block_count = (key_count + kKeys - 1) / kKeys;

    if (group == kConsumers) {
        give_registers<kProducerRegisters>();
        if (!kScaled && threadIdx.x / 32 != 4 * kConsumers) return;

        const int lane = threadIdx.x % 32;
        const int* pages = args.page_table + static_cast<size_t>(rows.slot[row]) * args.pages_per_slot;
        const int page_count = (key_count + kPageKeys - 1) / kPageKeys;
        const unsigned long long policy = evict_normal_policy();
        int window = -1, ids = 0; // page ids of 32 pages, one per lane
        for (int i = 0; i < block_count; i++) {
            const int block = block_count - 1 - i, stage = i % kStages, parity = i / kStages & 1;
            const int page = block * kPages, here = min(kPages, page_count - page);
            if (page / 32 != window) {
                window = page / 32;
                ids = window * 32 + lane < page_count ? pages[window * 32 + lane] : 0;
            }
            int first_row[kPages];
#pragma unroll
            for (int p = 0; p < kPages; p++) first_row[p] = (__shfl_sync(kFullWarp, ids, (page + p) % 32) * Spec::kKeyValueHeads + head) * kPageKeys;
            const unsigned keys = all_keys + stage * 2 * kKeyHalf, values = all_values + stage * 2 * kKeyHalf;
            if constexpr (kScaled) {
                const int thread = threadIdx.x % 128;
                auto fill = [&](unsigned target, unsigned full, unsigned empty, const void* source, const float* scales) {
                    wait_barrier(empty + 8 * stage, parity ^ 1);
                    widen_block<kFormat, kPages>(target, source, scales, first_row, block * kKeys, key_count, thread);
                    publish_shared();
                    __syncwarp();
                    if (lane == 0) arrive(full + 8 * stage);
                };
                fill(keys, keys_full, keys_empty, args.keys, args.key_scales);
                fill(values, values_full, values_empty, args.values, args.value_scales);
            } else if (lane == 0) {
                auto fill = [&](unsigned target, unsigned full, unsigned empty, const TensorMap& map) {
                    wait_barrier(empty + 8 * stage, parity ^ 1);
                    arrive_expecting(full + 8 * stage, here * kPageKeys * 256);
                    for (int p = 0; p < here; p++) {
                        copy_box(target + p * kPageKeys * 128, map, 0, first_row[p], full + 8 * stage, policy);
                        copy_box(target + kKeyHalf + p * kPageKeys * 128, map, 64, first_row[p], full + 8 * stage, policy);
                    }
                };
                fill(keys, keys_full, keys_empty, tensor_args.keys);
                fill(values, values_full, values_empty, tensor_args.values);
            }
            __syncwarp();
        }
        return;
    }

    take_registers<kConsumerRegisters>();
    const int thread = threadIdx.x % 128, warp = thread / 32, lane = thread % 32, g = lane / 4, t = lane % 4;
    const int first_token = rows.token_offset[row] + tile.y;
    // This warpgroup's queries: a token's heads are neighbouring rows. Rows past the tile's tokens repeat the last token.
    for (int i = thread; i < 64 * 16; i += 128) {
        const int r = group * 64 + i / 16, piece = i % 16;
        const int token = min(r / kGroup, tile_tokens - 1);
        const uint4 words = reinterpret_cast<const uint4*>(args.query + (static_cast<size_t>(first_token + token) * Spec::kHeads + head * kGroup + r % kGroup) * Spec::kHeadSize)[piece];
        store_shared(queries + piece / 8 * kQueryHalf + r * 128 + ((piece % 8) ^ (r % 8)) * 16, words);
    }
    publish_shared();
    synchronize_group(1 + group, 128);

    int limit[2]; // keys that this thread's two query rows may see
#pragma unroll
    for (int i = 0; i < 2; i++) limit[i] = start + min((group * 64 + warp * 16 + i * 8 + g) / kGroup, tile_tokens - 1) + 1;

    float scores[kKeys / 2], output[64];
    unsigned weights[kKeys / 4];
    float maximum[2] = {kLowest, kLowest}, sum[2] = {0, 0};
    const unsigned long long query_rows = matrix_descriptor(queries + group * 64 * 128);

    auto multiply_keys = [&](int i) {
        const unsigned long long keys = matrix_descriptor(all_keys + i % kStages * 2 * kKeyHalf);
        begin_products();
#pragma unroll
        for (int k = 0; k < 8; k++)
            multiply_async(scores, query_rows + k / 4 * (kQueryHalf >> 4) + k % 4 * 2, keys + k / 4 * (kKeyHalf >> 4) + k % 4 * 2, k > 0);
        commit_products();
    };
    auto multiply_values = [&](int i) {
        const unsigned values = all_values + i % kStages * 2 * kKeyHalf;
        begin_products();
#pragma unroll
        for (int k = 0; k < kKeys / 16; k++)
            multiply_async(output, weights[4 * k], weights[4 * k + 1], weights[4 * k + 2], weights[4 * k + 3], row_descriptor(values + k * 16 * 128, kKeyHalf), i > 0 || k > 0);
        commit_products();
    };
    auto release = [&](unsigned barrier) {
        if (lane == 0) arrive(barrier);
    };
    // Turns scores into weights; returns by what earlier outputs are to be multiplied.
    auto weigh = [&](int i, float (&shrink)[2]) {
        const int first_key = (block_count - 1 - i) * kKeys;
        if (first_key + kKeys > start + 1) { // some query of the tile may not see all of it
#pragma unroll
            for (int n = 0; n < kKeys / 8; n++) {
                const int position = first_key + n * 8 + 2 * t;
                if (position >= limit[0]) scores[4 * n] = kLowest;
                if (position + 1 >= limit[0]) scores[4 * n + 1] = kLowest;
                if (position >= limit[1]) scores[4 * n + 2] = kLowest;
                if (position + 1 >= limit[1]) scores[4 * n + 3] = kLowest;
            }
        }
#pragma unroll
        for (int r = 0; r < 2; r++) {
            float highest = maximum[r];
#pragma unroll
            for (int n = 0; n < kKeys / 8; n++) highest = fmaxf(highest, fmaxf(scores[4 * n + 2 * r], scores[4 * n + 2 * r + 1]));
            highest = fmaxf(highest, __shfl_xor_sync(kFullWarp, highest, 1));
            highest = fmaxf(highest, __shfl_xor_sync(kFullWarp, highest, 2));
            shrink[r] = exp2_fast((maximum[r] - highest) * Spec::kScale);
            maximum[r] = highest;
            // A row that has seen no key yet: its masked scores must become 0, not the rounding error of so large a difference.
            const float offset = highest == kLowest ? 0 : highest * Spec::kScale;
            float added = 0;
#pragma unroll
            for (int n = 0; n < kKeys / 8; n++) {
                scores[4 * n + 2 * r] = exp2_fast(scores[4 * n + 2 * r] * Spec::kScale - offset);
                scores[4 * n + 2 * r + 1] = exp2_fast(scores[4 * n + 2 * r + 1] * Spec::kScale - offset);
                added += scores[4 * n + 2 * r] + scores[4 * n + 2 * r + 1];
            }
            sum[r] = sum[r] * shrink[r] + added; // this lane's keys; the four lanes of a row are added at the end
        }
    };
    auto pack = [&] {
#pragma unroll
        for (int n = 0; n < kKeys / 4; n++) weights[n] = pack_bf16(scores[2 * n], scores[2 * n + 1]);
    };

    float shrink[2];
    wait_barrier(keys_full, 0);
    multiply_keys(0);
    wait_products<0>();
    settle(scores);
    release(keys_empty);
    weigh(0, shrink);
    pack();
    // What the last page holds past the last key is anything: its weights are 0, but 0 times NaN is not.
    wait_barrier(values_full, 0);
    if (!kScaled && block_count * kKeys > key_count) {
        const int unused = (key_count - (block_count - 1) * kKeys) * 8;
        for (int i = unused + thread; i < kKeys * 8; i += 128) {
            store_shared(all_values + i * 16, uint4{0, 0, 0, 0});
            store_shared(all_values + kKeyHalf + i * 16, uint4{0, 0, 0, 0});
        }
        publish_shared();
        synchronize_group(1 + group, 128);
    }
    for (int i = 1; i < block_count; i++) {
        const int stage = i % kStages, before = (i - 1) % kStages;
        wait_barrier(keys_full + 8 * stage, i / kStages & 1);
        multiply_keys(i);
        wait_barrier(values_full + 8 * before, (i - 1) / kStages & 1);
        multiply_values(i - 1);
        wait_products<1>();
        settle(scores);
        release(keys_empty + 8 * stage);
        weigh(i, shrink);
        wait_products<0>();
        settle(output);
        release(values_empty + 8 * before);
#pragma unroll
        for (int n = 0; n < 16; n++) {
            output[4 * n] *= shrink[0];
            output[4 * n + 1] *= shrink[0];
            output[4 * n + 2] *= shrink[1];
            output[4 * n + 3] *= shrink[1];
        }
        pack();
    }
    wait_barrier(values_full + 8 * ((block_count - 1) % kStages), (block_count - 1) / kStages & 1);
    multiply_values(block_count - 1);
    wait_products<0>();
    settle(output);

#pragma unroll
    for (int r = 0; r < 2; r++) {
        sum[r] += __shfl_xor_sync(kFullWarp, sum[r], 1);
        sum[r] += __shfl_xor_sync(kFullWarp, sum[r], 2);
        const int query_row = group * 64 + warp * 16 + r * 8 + g, token = query_row / kGroup;
        const float factor = 1.0f / sum[r];
        if constexpr (Spec::kQuantizes) {
            if (tensor_args.quantized.codes) {
                const int query_head = head * kGroup + query_row % kGroup;
                float2 values[16];
                float largest = 0;
#pragma unroll
                for (int n = 0; n < 16; n++) {
                    values[n] = {output[4 * n + 2 * r] * factor, output[4 * n + 2 * r + 1] * factor};
                    largest = fmaxf(largest, fmaxf(fabsf(values[n].x), fabsf(values[n].y)));
                }
                largest = quad_max(largest);
                const float inverse = inverse_factor(largest);
                const uint4 first = codes_of_pairs(values, inverse), second = codes_of_pairs(values + 8, inverse);
                if (token >= tile_tokens) continue;
                uint4* target = reinterpret_cast<uint4*>(
                    tensor_args.quantized.codes + (static_cast<size_t>(first_token + token) * Spec::kHeads + query_head) * Spec::kHeadSize);
                target[t] = first;
                target[4 + t] = second;
                if (t == 0)
                    tensor_args.quantized.factors[static_cast<size_t>(query_head) * tensor_args.quantized.stride + first_token + token] =
                        largest / kLargestE4m3;
                continue;
            }
        }
        if (token >= tile_tokens) continue;
        Bf16* target = args.output + (static_cast<size_t>(first_token + token) * Spec::kHeads + head * kGroup + query_row % kGroup) * Spec::kHeadSize;
#pragma unroll
        for (int n = 0; n < 16; n++)
            *reinterpret_cast<unsigned*>(target + n * 8 + 2 * t) = pack_bf16(output[4 * n + 2 * r] * factor, output[4 * n + 2 * r + 1] * factor);
    }
#endif
}

} // namespace ernie
