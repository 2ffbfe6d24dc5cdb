// Attention of rows with several new tokens on the tensor cores of every architecture.
//   launch   grid (tiles, kv heads); a tile is kRowTiles * 16 query rows per warp = that many / heads per kv head tokens of one row of
//            the batch
// All warps share each page's keys and values, two pages in flight. Queries wait in shared memory: registers are for outputs.
#pragma once
#include "ernie/attention/common.cuh"

namespace ernie {

// Running softmax of kTiles times two query rows (g and g + 8) and this lane's share of their outputs.
template <int kTiles>
struct PrefillState {
    float4 output[kTiles][16]; // row g: x, y; row g + 8: z, w
    float maximum[kTiles][2], sum[kTiles][2];
};

// Takes in 32 keys that lie in shared memory from first_row on; first_key is their first position, limit how many positions each
// query row may see.
template <CacheFormat kFormat, int kTiles, bool kMasked>
__device__ __forceinline__ void attend(
    PrefillState<kTiles>& state, unsigned queries, unsigned keys, unsigned values, unsigned factors, int value_factors, int first_row, int first_key,
    const int (&limit)[kTiles][2], float scale) {
    constexpr bool kScaled = kFormat != CacheFormat::kBfloat16;
    const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    float4 scores[kTiles][4];
#pragma unroll
    for (int tile = 0; tile < kTiles; tile++) {
#pragma unroll
        for (int n = 0; n < 4; n++) scores[tile][n] = {0, 0, 0, 0};
    }
#pragma unroll
    for (int part = 0; part < 4; part++) {
        uint4 low[kTiles], high[kTiles];
#pragma unroll
        for (int tile = 0; tile < kTiles; tile++) {
            low[tile] = load_shared(queries + key_piece<CacheFormat::kBfloat16>(tile * 16 + g, part * 4 + t) * 16);
            high[tile] = load_shared(queries + key_piece<CacheFormat::kBfloat16>(tile * 16 + 8 + g, part * 4 + t) * 16);
        }
#pragma unroll
        for (int n = 0; n < 4; n++) {
            uint4 key;
            if constexpr (!kScaled) {
                key = load_shared(keys + key_piece<kFormat>(first_row + n * 8 + g, part * 4 + t) * 16);
            } else {
                // Half a 16-byte piece: two words widen to four.
                uint2 words = load_shared_words(keys + key_piece<kFormat>(first_row + n * 8 + g, part / 2 * 4 + t) * 16 + part % 2 * 8);
                uint2 first = widen<kFormat>(words.x), second = widen<kFormat>(words.y);
                key = {first.x, first.y, second.x, second.y};
            }
#pragma unroll
            for (int tile = 0; tile < kTiles; tile++) {
                multiply_add<kFormat>(scores[tile][n], low[tile].x, high[tile].x, low[tile].y, high[tile].y, key.x, key.y);
                multiply_add<kFormat>(scores[tile][n], low[tile].z, high[tile].z, low[tile].w, high[tile].w, key.z, key.w);
            }
        }
    }
    if constexpr (kScaled) {
#pragma unroll
        for (int n = 0; n < 4; n++) {
            float2 own = load_shared_pair(factors + (first_row + n * 8 + 2 * t) * 4);
#pragma unroll
            for (int tile = 0; tile < kTiles; tile++)
                scores[tile][n] = {scores[tile][n].x * own.x, scores[tile][n].y * own.y, scores[tile][n].z * own.x, scores[tile][n].w * own.y};
        }
    }

    bool shrinks = false;
    float shrink[kTiles][2];
#pragma unroll
    for (int tile = 0; tile < kTiles; tile++) {
        float highest[2] = {state.maximum[tile][0], state.maximum[tile][1]};
#pragma unroll
        for (int n = 0; n < 4; n++) {
            float4& s = scores[tile][n];
            if constexpr (kMasked) {
                int position = first_key + n * 8 + 2 * t;
                if (position >= limit[tile][0]) s.x = kLowest;
                if (position + 1 >= limit[tile][0]) s.y = kLowest;
                if (position >= limit[tile][1]) s.z = kLowest;
                if (position + 1 >= limit[tile][1]) s.w = kLowest;
            }
            highest[0] = fmaxf(highest[0], fmaxf(s.x, s.y));
            highest[1] = fmaxf(highest[1], fmaxf(s.z, s.w));
        }
#pragma unroll
        for (int r = 0; r < 2; r++) {
            highest[r] = fmaxf(highest[r], __shfl_xor_sync(kFullWarp, highest[r], 1));
            highest[r] = fmaxf(highest[r], __shfl_xor_sync(kFullWarp, highest[r], 2));
            shrinks |= highest[r] != state.maximum[tile][r];
            shrink[tile][r] = exp2_fast((state.maximum[tile][r] - highest[r]) * scale);
            state.maximum[tile][r] = highest[r];
        }
    }
    // Once the highest scores have been seen, outputs stay as they are.
    if (__any_sync(kFullWarp, shrinks)) {
#pragma unroll
        for (int tile = 0; tile < kTiles; tile++) {
            state.sum[tile][0] *= shrink[tile][0];
            state.sum[tile][1] *= shrink[tile][1];
#pragma unroll
            for (int i = 0; i < 16; i++) {
                float4& o = state.output[tile][i];
                o = {o.x * shrink[tile][0], o.y * shrink[tile][0], o.z * shrink[tile][1], o.w * shrink[tile][1]};
            }
        }
    }
#pragma unroll
    for (int tile = 0; tile < kTiles; tile++) {
        const float offset[2] = {state.maximum[tile][0] * scale, state.maximum[tile][1] * scale};
#pragma unroll
        for (int n = 0; n < 4; n++) {
            float4& s = scores[tile][n];
            s = {exp2_fast(s.x * scale - offset[0]), exp2_fast(s.y * scale - offset[0]), exp2_fast(s.z * scale - offset[1]), exp2_fast(s.w * scale - offset[1])};
            state.sum[tile][0] += s.x + s.y; // this lane's columns; the four lanes of a row are added at the end
            state.sum[tile][1] += s.z + s.w;
            if constexpr (kScaled) {
                float2 own = load_shared_pair(factors + value_factors + (first_row + n * 8 + 2 * t) * 4);
                own = {own.x * kWidenedUnit<kFormat>, own.y * kWidenedUnit<kFormat>};
                s = {s.x * own.x, s.y * own.y, s.z * own.x, s.w * own.y};
            }
        }
    }

    // The layout of a product's result is that of a left operand: scores become weights without leaving their lanes.
#pragma unroll
    for (int n = 0; n < 2; n++) {
        unsigned a[kTiles][4];
#pragma unroll
        for (int tile = 0; tile < kTiles; tile++) {
            const float4 &left = scores[tile][2 * n], &right = scores[tile][2 * n + 1];
            a[tile][0] = pack_weights<kFormat>(left.x, left.y);
            a[tile][1] = pack_weights<kFormat>(left.z, left.w);
            a[tile][2] = pack_weights<kFormat>(right.x, right.y);
            a[tile][3] = pack_weights<kFormat>(right.z, right.w);
        }
#pragma unroll
        for (int pair = 0; pair < kPieces<kFormat> / 2; pair++) {
            uint4 v = load_matrices_transposed(values + value_piece<kFormat>(first_row + n * 16 + lane % 16, pair * 2 + lane / 16) * 16);
            if constexpr (!kScaled) {
#pragma unroll
                for (int tile = 0; tile < kTiles; tile++) {
                    multiply_add(state.output[tile][2 * pair], a[tile][0], a[tile][1], a[tile][2], a[tile][3], v.x, v.y);
                    multiply_add(state.output[tile][2 * pair + 1], a[tile][0], a[tile][1], a[tile][2], a[tile][3], v.z, v.w);
                }
            } else {
                // A lane's words hold columns 2g and 2g + 1 of 16: even columns become one tile of outputs, odd ones the next.
                const uint2 b[4] = {widen<kFormat>(v.x), widen<kFormat>(v.y), widen<kFormat>(v.z), widen<kFormat>(v.w)};
#pragma unroll
                for (int tile = 0; tile < kTiles; tile++) {
#pragma unroll
                    for (int half = 0; half < 2; half++) {
                        multiply_add_f16(state.output[tile][4 * pair + 2 * half], a[tile][0], a[tile][1], a[tile][2], a[tile][3], b[2 * half].x, b[2 * half + 1].x);
                        multiply_add_f16(state.output[tile][4 * pair + 2 * half + 1], a[tile][0], a[tile][1], a[tile][2], a[tile][3], b[2 * half].y, b[2 * half + 1].y);
                    }
                }
            }
        }
    }
}

template <class Spec>
__device__ void attention_prefill(const AttentionArgs& args) {
    constexpr CacheFormat kFormat = Spec::kCache;
    constexpr bool kScaled = kFormat != CacheFormat::kBfloat16;
    constexpr int kWarps = Spec::kThreads / 32;
    constexpr int kTiles = Spec::kRowTiles;
    constexpr int kRows = kWarps * kTiles * 16;
    constexpr int kGroup = Spec::kHeads / Spec::kKeyValueHeads;
    constexpr int kTileTokens = kRows / kGroup;
    constexpr int kKeys = Spec::kTokensPerPage;
    constexpr int kHalf = kKeys * kPieces<kFormat> * 16;
    constexpr int kStageBytes = 2 * kHalf + (kScaled ? 2 * kKeys * 4 : 0);
    static_assert(Spec::kHeadSize == 128 && kKeys == 64 && kRows % kGroup == 0, "whole tokens per tile, pages of two halves");

    extern __shared__ uint4 memory[]; // queries, then per stage keys, values and their factors
    const unsigned queries = shared_address(memory), stages = queries + kRows * 256;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4, head = blockIdx.y;
    allow_next_kernel();
    wait_for_previous_kernel();

    const StepRows rows = step_rows(args.header, args.row_capacity);
    const int2 tile = args.tiles[blockIdx.x];
    const int row = tile.x, start = rows.start[row] + tile.y; // position of the tile's first token
    const int first_token = rows.token_offset[row] + tile.y;
    const int tile_tokens = min(kTileTokens, rows.count[row] - tile.y);
    const int key_count = start + tile_tokens;
    const int page_count = (key_count + kKeys - 1) / kKeys;
    const int* pages = args.page_table + static_cast<size_t>(rows.slot[row]) * args.pages_per_slot;

    auto copy_page = [&](int page) {
        const size_t first = (static_cast<size_t>(pages[page]) * Spec::kKeyValueHeads + head) * kKeys;
        const unsigned stage = stages + page % 2 * kStageBytes;
        const uint4* keys = static_cast<const uint4*>(args.keys) + first * kPieces<kFormat>;
        const uint4* values = static_cast<const uint4*>(args.values) + first * kPieces<kFormat>;
        for (int i = threadIdx.x; i < kKeys * kPieces<kFormat>; i += Spec::kThreads) {
            int key = i / kPieces<kFormat>, piece = i % kPieces<kFormat>;
            // What lies past the last key is whatever the page held: its weight is 0, but 0 times NaN is not.
            bool valid = page * kKeys + key < key_count;
            copy_async(stage + key_piece<kFormat>(key, piece) * 16, keys + i, valid);
            copy_async(stage + kHalf + value_piece<kFormat>(key, piece) * 16, values + i, valid);
        }
        if constexpr (kScaled) {
            for (int i = threadIdx.x; i < 2 * kKeys; i += Spec::kThreads)
                copy_async_word(stage + 2 * kHalf + i * 4, (i < kKeys ? args.key_scales : args.value_scales) + first + i % kKeys, page * kKeys + i % kKeys < key_count);
        }
        commit_copies();
    };
    copy_page(0);

    for (int i = threadIdx.x; i < kRows * 4; i += Spec::kThreads) {
        const int query_row = i / 4, lane_part = i % 4, token = min(query_row / kGroup, tile_tokens - 1);
        unsigned words[16];
        load_query<kFormat>(words, args.query + (static_cast<size_t>(first_token + token) * Spec::kHeads + head * kGroup + query_row % kGroup) * Spec::kHeadSize, lane_part);
#pragma unroll
        for (int part = 0; part < 4; part++)
            store_shared(queries + key_piece<CacheFormat::kBfloat16>(query_row, part * 4 + lane_part) * 16, {words[4 * part], words[4 * part + 1], words[4 * part + 2], words[4 * part + 3]});
    }

    PrefillState<kTiles> state;
    int limit[kTiles][2];
#pragma unroll
    for (int i = 0; i < kTiles; i++) {
#pragma unroll
        for (int n = 0; n < 16; n++) state.output[i][n] = {0, 0, 0, 0};
#pragma unroll
        for (int r = 0; r < 2; r++) {
            limit[i][r] = start + min(((warp * kTiles + i) * 16 + r * 8 + g) / kGroup, tile_tokens - 1) + 1;
            state.maximum[i][r] = kLowest;
            state.sum[i][r] = 0;
        }
    }

    const unsigned own_queries = queries + warp * kTiles * 16 * 256;
    const float scale = Spec::kScale * (kScaled ? kWidenedUnit<kFormat> : 1.0f);
    for (int page = 0; page < page_count; page++) {
        wait_copies<0>();
        __syncthreads(); // the page is there, and everybody has done with the one before
        if (page + 1 < page_count) copy_page(page + 1);
        const unsigned keys = stages + page % 2 * kStageBytes, values = keys + kHalf;
#pragma unroll 1
        for (int half = 0; half < 2; half++) {
            const int first_key = page * kKeys + half * 32;
            if (first_key + 32 <= start + 1)
                attend<kFormat, kTiles, false>(state, own_queries, keys, values, values + kHalf, kKeys * 4, half * 32, first_key, limit, scale);
            else if (first_key < key_count)
                attend<kFormat, kTiles, true>(state, own_queries, keys, values, values + kHalf, kKeys * 4, half * 32, first_key, limit, scale);
        }
    }

#pragma unroll
    for (int i = 0; i < kTiles; i++) {
#pragma unroll
        for (int r = 0; r < 2; r++) {
            float sum = state.sum[i][r];
            sum += __shfl_xor_sync(kFullWarp, sum, 1);
            sum += __shfl_xor_sync(kFullWarp, sum, 2);
            const int query_row = (warp * kTiles + i) * 16 + r * 8 + g, token = query_row / kGroup;
            if (token >= tile_tokens) continue;
            const float factor = 1.0f / sum;
            Bf16* target = args.output + (static_cast<size_t>(first_token + token) * Spec::kHeads + head * kGroup + query_row % kGroup) * Spec::kHeadSize;
#pragma unroll
            for (int n = 0; n < 16; n += kScaled ? 2 : 1) {
                const float4 &o = state.output[i][n], &odd = state.output[i][kScaled ? n + 1 : n];
                float first = (r == 0 ? o.x : o.z) * factor, second = (r == 0 ? o.y : o.w) * factor;
                if constexpr (kScaled) {
                    *reinterpret_cast<uint2*>(target + n * 8 + 4 * t) =
                        {pack_bf16(first, (r == 0 ? odd.x : odd.z) * factor), pack_bf16(second, (r == 0 ? odd.y : odd.w) * factor)};
                } else {
                    *reinterpret_cast<unsigned*>(target + n * 8 + 2 * t) = pack_bf16(first, second);
                }
            }
        }
    }
}

} // namespace ernie
