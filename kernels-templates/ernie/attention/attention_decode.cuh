// Attention of rows with one new token: bound by reading keys and values.
//   launch   grid (splits, kv heads, rows), 4 warps
// The keys of a row are cut into chunks of at least a page, one per block; a warp takes every fourth group of 16 keys with copies of
// its own, kStages deep, and no barrier until the end. The warps' results are merged in shared memory, the blocks' in memory by
// the last block to arrive, both in a fixed order.
#pragma once
#include "ernie/attention/common.cuh"

namespace ernie {

template <class Spec>
__device__ void attention_decode(const AttentionArgs& args) {
    constexpr int kWarps = Spec::kThreads / 32;
    constexpr int kGroup = Spec::kHeads / Spec::kKeyValueHeads;
    constexpr int kKeys = 16;
    constexpr int kTileBytes = kKeys * kHeadPieces * 16;
    constexpr int kStages = Spec::kStages;
    constexpr int kStride = Spec::kHeadSize + 2; // outputs, maximum, sum
    static_assert(Spec::kHeadSize == 128 && kGroup <= 8 && Spec::kTokensPerPage % kKeys == 0, "a token's heads are rows 0 to 7 of a warp");
    static_assert(Spec::kThreads == Spec::kHeadSize, "one thread per value in the merges");

    extern __shared__ uint4 stages[]; // [warps][stages] keys, values; then the warps' results
    __shared__ int is_last;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int split = blockIdx.x, splits = gridDim.x, head = blockIdx.y, row = blockIdx.z;
    allow_next_kernel();
    wait_for_previous_kernel();
    if (row >= args.header->row_count) return;

    StepRows rows = step_rows(args.header, args.row_capacity);
    if (rows.count[row] != 1) return; // rows of several tokens follow the decoding ones
    const int key_count = rows.start[row] + 1, token = rows.token_offset[row];
    const int page_count = (key_count + Spec::kTokensPerPage - 1) / Spec::kTokensPerPage;
    const int pages_per_split = (page_count + splits - 1) / splits;
    const int used_splits = (page_count + pages_per_split - 1) / pages_per_split;
    if (split >= used_splits) return;

    const int first_key = split * pages_per_split * Spec::kTokensPerPage;
    const int end_key = min(key_count, first_key + pages_per_split * Spec::kTokensPerPage);
    const int tiles = (end_key - first_key + kKeys - 1) / kKeys;
    const int* pages = args.page_table + static_cast<size_t>(rows.slot[row]) * args.pages_per_slot;
    const unsigned ring = shared_address(stages) + warp * kStages * 2 * kTileBytes;

    // Copies tile number i of this warp.
    auto copy_tile = [&](int i) {
        int tile = i * kWarps + warp;
        if (tile < tiles) {
            int position = first_key + tile * kKeys;
            int page = pages[position / Spec::kTokensPerPage];
            size_t source = ((static_cast<size_t>(page) * Spec::kKeyValueHeads + head) * Spec::kTokensPerPage + position % Spec::kTokensPerPage) * kHeadPieces;
            unsigned keys = ring + i % kStages * 2 * kTileBytes, values = keys + kTileBytes;
#pragma unroll
            for (int j = lane; j < kKeys * kHeadPieces; j += 32) {
                int key = j / kHeadPieces, piece = j % kHeadPieces;
                // What lies past the last key is whatever the page held: its weight is 0, but 0 times NaN is not.
                bool valid = position + key < end_key;
                copy_async(keys + key_piece(key, piece) * 16, reinterpret_cast<const uint4*>(args.keys) + source + j, valid);
                copy_async(values + value_piece(key, piece) * 16, reinterpret_cast<const uint4*>(args.values) + source + j, valid);
            }
        }
        commit_copies();
    };

#pragma unroll
    for (int i = 0; i < kStages - 1; i++) copy_tile(i);

    QueryFragment query;
    const uint4* source = reinterpret_cast<const uint4*>(args.query + (static_cast<size_t>(token) * Spec::kHeads + head * kGroup + min(g, kGroup - 1)) * Spec::kHeadSize);
#pragma unroll
    for (int part = 0; part < 4; part++) {
        query.low[part] = source[part * 4 + t];
        query.high[part] = {0, 0, 0, 0};
    }

    Softmax state;
    clear(state);
    const int limit[2] = {end_key, 0};
    for (int i = 0; i * kWarps + warp < tiles; i++) {
        copy_tile(i + kStages - 1);
        wait_copies<kStages - 1>();
        __syncwarp();
        unsigned keys = ring + i % kStages * 2 * kTileBytes;
        attend<kKeys>(state, query, keys, keys + kTileBytes, 0, first_key + (i * kWarps + warp) * kKeys, limit, Spec::kScale);
        __syncwarp();
    }
    finish_sums(state);
    wait_copies<0>();
    __syncthreads();

    // The warps' results lie where their copies were: [warp][head][value], then [warp][head] maximum and sum.
    float* merged = reinterpret_cast<float*>(stages);
    if (g < kGroup) {
        float* mine = merged + (warp * kGroup + g) * kStride;
#pragma unroll
        for (int n = 0; n < 16; n++) *reinterpret_cast<float2*>(mine + n * 8 + 2 * t) = {state.output[n].x, state.output[n].y};
        if (t == 0) {
            mine[Spec::kHeadSize] = state.maximum[0];
            mine[Spec::kHeadSize + 1] = state.sum[0];
        }
    }
    __syncthreads();

    const int value = threadIdx.x;
    const int pair = row * Spec::kKeyValueHeads + head;
    Bf16* output = args.output + (static_cast<size_t>(token) * Spec::kHeads + head * kGroup) * Spec::kHeadSize;
    // Merges kCount results that lie kStep floats apart.
    auto merge = [&](const float* first, int count, int step, float& maximum, float& sum) {
        maximum = -1e30f;
        for (int i = 0; i < count; i++) maximum = fmaxf(maximum, first[i * step + Spec::kHeadSize]);
        float result = 0;
        sum = 0;
        for (int i = 0; i < count; i++) {
            float factor = exp2f(first[i * step + Spec::kHeadSize] - maximum);
            result += factor * first[i * step + value];
            sum += factor * first[i * step + Spec::kHeadSize + 1];
        }
        return result;
    };

    for (int h = 0; h < kGroup; h++) {
        float maximum, sum;
        float result = merge(merged + h * kStride, kWarps, kGroup * kStride, maximum, sum);
        if (used_splits == 1) {
            unsigned packed = pack_bf16(result / sum, 0);
            output[h * Spec::kHeadSize + value] = {static_cast<unsigned short>(packed)};
        } else {
            float* target = args.partials + ((static_cast<size_t>(pair) * splits + split) * kGroup + h) * kStride;
            target[value] = result;
            if (value == 0) {
                target[Spec::kHeadSize] = maximum;
                target[Spec::kHeadSize + 1] = sum;
            }
        }
    }
    if (used_splits == 1) return;

    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        is_last = atomicAdd(args.arrivals + pair, 1) == used_splits - 1;
        if (is_last) args.arrivals[pair] = 0;
    }
    __syncthreads();
    if (!is_last) return;

    __threadfence();
    for (int h = 0; h < kGroup; h++) {
        float maximum, sum;
        float result = merge(args.partials + (static_cast<size_t>(pair) * splits * kGroup + h) * kStride, used_splits, kGroup * kStride, maximum, sum);
        unsigned packed = pack_bf16(result / sum, 0);
        output[h * Spec::kHeadSize + value] = {static_cast<unsigned short>(packed)};
    }
}

} // namespace ernie
