// Attention of rows with several new tokens.
//   launch   grid (tiles, kv heads), 4 warps; a tile is 64 query rows = 64 / heads per kv head tokens of one row of the batch
// All warps share each page's keys and values, two pages in flight.
#pragma once
#include "ernie/attention/common.cuh"

namespace ernie {

template <class Spec>
__device__ void attention_prefill(const AttentionArgs& args) {
    constexpr int kWarps = Spec::kThreads / 32;
    constexpr int kGroup = Spec::kHeads / Spec::kKeyValueHeads;
    constexpr int kTileTokens = kWarps * 16 / kGroup;
    constexpr int kKeys = Spec::kTokensPerPage;
    constexpr int kTileBytes = kKeys * kHeadPieces * 16;
    static_assert(Spec::kHeadSize == 128 && kKeys % 16 == 0 && kWarps * 16 % kGroup == 0, "whole tokens per tile, whole tiles of keys");

    extern __shared__ uint4 stages[]; // [2] keys, values
    const unsigned shared = shared_address(stages);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4, head = blockIdx.y;
    allow_next_kernel();
    wait_for_previous_kernel();

    StepRows rows = step_rows(args.header, args.row_capacity);
    const int2 tile = args.tiles[blockIdx.x];
    const int row = tile.x, start = rows.start[row], count = rows.count[row];
    const int first_token = rows.token_offset[row] + tile.y;
    const int tile_tokens = min(kTileTokens, count - tile.y);
    const int key_count = start + tile.y + tile_tokens;
    const int page_count = (key_count + kKeys - 1) / kKeys;
    const int* pages = args.page_table + static_cast<size_t>(rows.slot[row]) * args.pages_per_slot;

    auto copy_page = [&](int page) {
        size_t source = (static_cast<size_t>(pages[page]) * Spec::kKeyValueHeads + head) * kKeys * kHeadPieces;
        unsigned keys = shared + page % 2 * 2 * kTileBytes, values = keys + kTileBytes;
        for (int i = threadIdx.x; i < kKeys * kHeadPieces; i += Spec::kThreads) {
            int key = i / kHeadPieces, piece = i % kHeadPieces;
            // What lies past the last key is whatever the page held: its weight is 0, but 0 times NaN is not.
            bool valid = page * kKeys + key < key_count;
            copy_async(keys + key_piece(key, piece) * 16, reinterpret_cast<const uint4*>(args.keys) + source + i, valid);
            copy_async(values + value_piece(key, piece) * 16, reinterpret_cast<const uint4*>(args.values) + source + i, valid);
        }
    };

    copy_page(0);
    commit_copies();

    QueryFragment query;
    int limit[2];
    const Bf16* sources[2];
#pragma unroll
    for (int i = 0; i < 2; i++) {
        int query_row = warp * 16 + i * 8 + g;
        int token = query_row / kGroup;
        limit[i] = token < tile_tokens ? start + tile.y + token + 1 : 0;
        sources[i] = args.query + (static_cast<size_t>(first_token + min(token, tile_tokens - 1)) * Spec::kHeads + head * kGroup + query_row % kGroup) * Spec::kHeadSize;
    }
#pragma unroll
    for (int part = 0; part < 4; part++) {
        query.low[part] = reinterpret_cast<const uint4*>(sources[0])[part * 4 + t];
        query.high[part] = reinterpret_cast<const uint4*>(sources[1])[part * 4 + t];
    }

    Softmax state;
    clear(state);
    for (int page = 0; page < page_count; page++) {
        if (page + 1 < page_count) copy_page(page + 1);
        commit_copies();
        wait_copies<1>();
        __syncthreads();
        unsigned keys = shared + page % 2 * 2 * kTileBytes;
        attend<kKeys>(state, query, keys, keys + kTileBytes, 0, page * kKeys, limit, Spec::kScale);
        __syncthreads();
    }
    finish_sums(state);

#pragma unroll
    for (int i = 0; i < 2; i++) {
        int query_row = warp * 16 + i * 8 + g;
        int token = query_row / kGroup;
        if (token >= tile_tokens) continue;
        float factor = 1.0f / state.sum[i];
        Bf16* target = args.output + (static_cast<size_t>(first_token + token) * Spec::kHeads + head * kGroup + query_row % kGroup) * Spec::kHeadSize;
#pragma unroll
        for (int n = 0; n < 16; n++) {
            float first = i == 0 ? state.output[n].x : state.output[n].z, second = i == 0 ? state.output[n].y : state.output[n].w;
            *reinterpret_cast<unsigned*>(target + n * 8 + 2 * t) = pack_bf16(first * factor, second * factor);
        }
    }
}

} // namespace ernie
