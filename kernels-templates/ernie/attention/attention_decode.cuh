// Attention of rows with one new token: bound by latency when there are few, by reading keys and values when there are many.
// A block takes pages of a row and kv head; each of its 4 warps takes 16 keys of every page with copies of its own, kStages deep, and
// no barrier until the row ends. A token's heads are the eight columns of the tensor core's tiles. Two ways to share out the pages:
//   kClusterBlocks > 1   launch (clusters * kClusterBlocks, kv heads, rows): the blocks of a cluster take the pages of a row in turn
//                        and merge through distributed shared memory. For few rows; long rows are shared by up to that many clusters.
//   kClusterBlocks == 1  launch (blocks): the pages of all rows in order are cut into equal shares, whatever the rows' lengths.
// Results of several clusters or blocks are merged by the last to arrive, always in the same order.
// Past keys are read before the kernel ahead has ended: only this step's tokens are written by it, and pages change hands in the
// step's first kernel (update_count says whether).
#pragma once
#include "ernie/attention/decode_cluster.cuh"
#include "ernie/attention/decode_merge.cuh"
#include "ernie/attention/decode_new_token.cuh"
#include "ernie/attention/decode_shared_rows.cuh"
#include "ernie/attention/decode_state.cuh"
#include "ernie/attention/decode_walk.cuh"

namespace ernie {

template <class Spec>
__device__ void attention_decode(const AttentionArgs& args) {
    constexpr CacheFormat kFormat = Spec::kCache;
    constexpr bool kScaled = kFormat != CacheFormat::kBfloat16;
    constexpr int kWarps = Spec::kThreads / 32;
    constexpr int kGroup = Spec::kHeads / Spec::kKeyValueHeads;
    constexpr int kStages = Spec::kStages;
    constexpr int kCluster = Spec::kClusterBlocks;
    static_assert(Spec::kHeadSize == 128 && kGroup <= 8, "a token's heads are the columns of a warp's tiles");
    static_assert(Spec::kThreads == 128 && Spec::kTokensPerPage == kWarps * kDecodeKeys, "a warp's 16 keys of every page; 16 threads per head in the merges");

    extern __shared__ uint4 stages[]; // [warps][stages] tiles; then [warps][heads per kv head] results
    float* results = reinterpret_cast<float*>(reinterpret_cast<char*>(stages) + kWarps * kStages * kTileBytes<kFormat>);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int merge_head = threadIdx.x / 16, merge_index = threadIdx.x % 16;
    const unsigned ring = shared_address(stages) + warp * kStages * kTileBytes<kFormat>;
    allow_next_kernel();
    const StepRows rows = step_rows(args.header, args.row_capacity);
    const bool reads_ahead = args.header->update_count == 0;
    if (!reads_ahead) wait_for_previous_kernel();

    // This block's share.
    PageWalk<Spec> now;
    int first_page = 0, end_page = 0;     // kCluster == 1: of all rows' pages in order
    int total_pages = 0, share_count = 1; // kCluster > 1: share_count clusters work on the row
    int row_first = 0;                    // kCluster == 1: first page of the row in that order
    now.left = 0;
    if constexpr (kCluster > 1) {
        now.row = blockIdx.z;
        now.head = blockIdx.y;
        const int rank = blockIdx.x % kCluster, cluster = blockIdx.x / kCluster, clusters = gridDim.x / kCluster;
        const bool is_row = now.row < args.header->row_count && rows.count[now.row] == 1;
        if (is_row) {
            now.enter_row(args, rows);
            // A cluster's copies in flight hold this many pages: with fewer, more clusters would only have more to merge.
            int wanted = (now.page_count + kCluster * kStages - 1) / (kCluster * kStages);
            int share = (now.page_count + min(wanted, clusters) - 1) / min(wanted, clusters);
            share_count = (now.page_count + share - 1) / share;
            now.page = cluster * share + rank;
            int end = min(now.page_count, (cluster + 1) * share);
            now.left = max(0, (end - now.page + kCluster - 1) / kCluster);
        }
        if (!is_row || cluster >= share_count) { // the whole cluster
            if (reads_ahead) wait_for_previous_kernel();
            return;
        }
    } else {
        // Rows in windows of 256, eight neighbours per lane: a load's wait for all of them, and one sum over the lanes.
        constexpr int kPerLane = 8, kWindow = 32 * kPerLane;
        const int row_count = min(args.header->row_count, args.decode_rows);
        int pages[kPerLane];
        auto load_window = [&](int base) {
            int sum = 0;
#pragma unroll
            for (int j = 0; j < kPerLane; j++) {
                const int row = base + lane * kPerLane + j;
                pages[j] = row < row_count ? Spec::kKeyValueHeads * (rows.start[row] / Spec::kTokensPerPage + 1) : 0;
                sum += pages[j];
            }
            return sum;
        };
        int sum = load_window(0);
        total_pages = sum;
        for (int base = kWindow; base < row_count; base += kWindow) total_pages += load_window(base);
        if (row_count > kWindow) load_window(0);
#pragma unroll
        for (int distance = 16; distance > 0; distance /= 2) total_pages += __shfl_xor_sync(kFullWarp, total_pages, distance);
        // Enough blocks, but not more parts of a row than a merge is worth.
        share_count = min(min(static_cast<int>(gridDim.x), total_pages), 32 * Spec::kKeyValueHeads * row_count);
        if (static_cast<int>(blockIdx.x) < share_count) {
            first_page = static_cast<long long>(total_pages) * blockIdx.x / share_count;
            end_page = static_cast<long long>(total_pages) * (blockIdx.x + 1) / share_count;
        }
        for (int base = 0; first_page < end_page; base += kWindow) {
            if (base > 0) sum = load_window(base);
            int before = sum;
#pragma unroll
            for (int distance = 1; distance < 32; distance *= 2) {
                int other = __shfl_up_sync(kFullWarp, before, distance);
                if (lane >= distance) before += other;
            }
            const unsigned behind = __ballot_sync(kFullWarp, row_first + before > first_page);
            if (behind != 0) {
                const int found = __ffs(behind) - 1;
                row_first += __shfl_sync(kFullWarp, before - sum, found);
                now.row = base + found * kPerLane;
#pragma unroll
                for (int j = 0; j < kPerLane - 1; j++) {
                    const int count = __shfl_sync(kFullWarp, pages[j], found);
                    if (row_first + count <= first_page && now.row == base + found * kPerLane + j) {
                        row_first += count;
                        now.row++;
                    }
                }
                break;
            }
            row_first += __shfl_sync(kFullWarp, before, 31);
        }
        if (first_page < end_page) {
            now.enter_row(args, rows);
            now.head = (first_page - row_first) / now.page_count;
            now.page = (first_page - row_first) % now.page_count;
            now.left = end_page - first_page;
        } else {
            if (reads_ahead) wait_for_previous_kernel();
            return;
        }
    }
    now.find_page();

    // Copies this warp's keys of a page, but not the new token's, if so asked.
    auto copy_tile = [&](const PageWalk<Spec>& walk, int stage, bool skips_new) {
        if (walk.left > 0) {
            const int without = skips_new ? walk.key_count - 1 : -1;
            const int position = walk.page * Spec::kTokensPerPage + warp * kDecodeKeys;
            const size_t first = (static_cast<size_t>(walk.id) * Spec::kKeyValueHeads + walk.head) * Spec::kTokensPerPage + warp * kDecodeKeys;
            const uint4* keys = static_cast<const uint4*>(args.keys) + first * kPieces<kFormat>;
            const uint4* values = static_cast<const uint4*>(args.values) + first * kPieces<kFormat>;
            const unsigned tile = ring + stage * kTileBytes<kFormat>;
#pragma unroll
            for (int j = lane; j < kDecodeKeys * kPieces<kFormat>; j += 32) {
                int key = j / kPieces<kFormat>, piece = j % kPieces<kFormat>;
                // What lies past the last key is whatever the page held: its weight is 0, but 0 times NaN is not.
                bool valid = position + key < walk.key_count;
                if (position + key != without) {
                    copy_async(tile + key_piece<kFormat>(key, piece) * 16, keys + j, valid);
                    copy_async(tile + kTileHalf<kFormat> + value_piece<kFormat>(key, piece) * 16, values + j, valid);
                }
            }
            if constexpr (kScaled) {
                int key = lane % kDecodeKeys;
                const float* source = (lane < kDecodeKeys ? args.key_scales : args.value_scales) + first + key;
                if (position + key != without) copy_async_word(tile + 2 * kTileHalf<kFormat> + lane * 4, source, position + key < walk.key_count);
            }
        }
        commit_copies();
    };

    PageWalk<Spec> ahead = now;
    const bool puts_away = kScaled && args.new_keys != nullptr; // this kernel writes the new tokens' 8-bit values itself
    int skipped[kStages - 1]; // the new token's place in the pages, where it belongs to a tile that is copied before the wait
    bool has_skipped = false;
#pragma unroll
    for (int i = 0; i < kStages - 1; i++) {
        int current = ahead.key_count - 1, tile_first = ahead.page * Spec::kTokensPerPage + warp * kDecodeKeys;
        bool skips = reads_ahead && !puts_away && ahead.left > 0 && current >= tile_first && current < tile_first + kDecodeKeys;
        skipped[i] = skips ? (ahead.id * Spec::kKeyValueHeads + ahead.head) * Spec::kTokensPerPage + current % Spec::kTokensPerPage : -1;
        has_skipped |= skips;
        copy_tile(ahead, i, reads_ahead || puts_away);
        if (ahead.left > 0) ahead.advance(args, rows);
    }
    if (reads_ahead) wait_for_previous_kernel();
    if (has_skipped) {
#pragma unroll
        for (int i = 0; i < kStages - 1; i++) {
            if (skipped[i] >= 0) copy_new_token<Spec>(args, ring + i * kTileBytes<kFormat>, skipped[i], lane);
        }
        commit_copies();
    }

    DecodeState state;
    unsigned query[16];
    uint2 new_key = {0, 0}, new_value = {0, 0}; // puts_away: this lane's four values
    auto start_row = [&] {
        clear(state);
        if constexpr (kScaled) {
            if (puts_away) {
                const size_t source = (static_cast<size_t>(now.token) * Spec::kKeyValueHeads + now.head) * (Spec::kHeadSize / 4) + lane;
                new_key = reinterpret_cast<const uint2*>(args.new_keys)[source];
                new_value = reinterpret_cast<const uint2*>(args.new_values)[source];
            }
        }
        load_query<kFormat>(query, args.query + (static_cast<size_t>(now.token) * Spec::kHeads + now.head * kGroup + min(g, kGroup - 1)) * Spec::kHeadSize, t);
    };
    float* own_results = results + warp * kGroup * kPartialStride;
    int stage = 0, next_stage = kStages - 1, settling = has_skipped ? kStages - 1 : 0;
    const float scale = Spec::kScale * (kScaled ? kWidenedUnit<kFormat> : 1.0f);
    SharedRow ended = {-1, 0, 0, 0}, begun = {-1, 0, 0, 0}; // kCluster == 1: rows that other blocks began, or go on with
    start_row();
    while (now.left > 0) {
        copy_tile(ahead, next_stage, puts_away);
        if (ahead.left > 0) ahead.advance(args, rows);
        if (settling > 0) { // the new token's copy is younger than its tile's
            wait_copies<0>();
            settling--;
        } else {
            wait_copies<kStages - 1>();
        }
        __syncwarp();
        const int count = now.key_count - now.page * Spec::kTokensPerPage - warp * kDecodeKeys;
        if constexpr (kScaled) {
            if (puts_away && count > 0 && count <= kDecodeKeys) { // the last key is the new token's
                const unsigned tile = ring + stage * kTileBytes<kFormat>;
                const int key = count - 1;
                const size_t target = (static_cast<size_t>(now.id) * Spec::kKeyValueHeads + now.head) * Spec::kTokensPerPage + warp * kDecodeKeys + key;
                const QuantizedHead k = quantize_head<kFormat>(new_key), v = quantize_head<kFormat>(new_value);
                store_shared_word(tile + key_piece<kFormat>(key, lane / 4) * 16 + lane % 4 * 4, k.codes);
                store_shared_word(tile + kTileHalf<kFormat> + value_piece<kFormat>(key, lane / 4) * 16 + lane % 4 * 4, v.codes);
                static_cast<unsigned*>(args.keys)[target * (Spec::kHeadSize / 4) + lane] = k.codes;
                static_cast<unsigned*>(args.values)[target * (Spec::kHeadSize / 4) + lane] = v.codes;
                if (lane == 0) {
                    store_shared_word(tile + 2 * kTileHalf<kFormat> + key * 4, __float_as_uint(k.scale));
                    store_shared_word(tile + 2 * kTileHalf<kFormat> + (kDecodeKeys + key) * 4, __float_as_uint(v.scale));
                    args.key_scales[target] = k.scale;
                    args.value_scales[target] = v.scale;
                }
                __syncwarp();
            }
        }
        if (count > 0) attend<kFormat>(state, query, ring + stage * kTileBytes<kFormat>, count, scale);
        __syncwarp();
        stage = stage + 1 == kStages ? 0 : stage + 1;
        next_stage = next_stage + 1 == kStages ? 0 : next_stage + 1;

        if constexpr (kCluster == 1) {
            const bool ends_row = now.page + 1 == now.page_count;
            if (!ends_row && now.left > 1) {
                now.advance(args, rows);
                continue;
            }

            store_state<kFormat, kGroup>(state, own_results);
            __syncthreads();
            MergedHead merged;
            if (merge_head < kGroup) merged = merge_parts<true>(results + merge_head * kPartialStride, kWarps, kGroup * kPartialStride, merge_index);
            const int pair_first = row_first + now.head * now.page_count, pair_end = pair_first + now.page_count; // this row and head's pages
            Bf16* output = args.output + (static_cast<size_t>(now.token) * Spec::kHeads + now.head * kGroup + merge_head) * Spec::kHeadSize;
            if (pair_first >= first_page && pair_end <= end_page) {
                if (merge_head < kGroup) store_head(merged, output, merge_index);
            } else {
                auto block_of = [&](int page) { return static_cast<int>((static_cast<long long>(page + 1) * share_count - 1) / total_pages); };
                const bool begins = pair_first >= first_page;
                (begins ? begun : ended) = {now.row * Spec::kHeads + now.head * kGroup, now.token * Spec::kHeads + now.head * kGroup, block_of(pair_first), block_of(pair_end - 1)};
                if (merge_head < kGroup) store_part(merged, part_of<kGroup>(args, blockIdx.x, begins, merge_head), merge_index);
            }
            __syncthreads();
            const int row = now.row;
            const int row_pages = now.page_count * Spec::kKeyValueHeads;
            now.advance(args, rows);
            if (now.left > 0) {
                if (now.row != row) row_first += row_pages;
                start_row();
            }
        } else {
            now.advance(args, rows);
        }
    }

    if constexpr (kCluster == 1) {
        if (ended.row_head < 0 && begun.row_head < 0) return;
        __threadfence();
        __syncthreads();
        int* is_last = reinterpret_cast<int*>(results + 130);
        arrive(args, ended, begun, is_last);
        __syncthreads();
        __threadfence();
#pragma unroll
        for (int i = 0; i < 2; i++) {
            if (!is_last[i] || merge_head >= kGroup) continue;
            // The first part begins the row, the others do not: theirs lie two slots apart.
            const SharedRow part = i == 0 ? ended : begun;
            MergedHead whole = merge_parts<false>(part_of<kGroup>(args, part.first_block, true, merge_head), 1, 0, merge_index);
            MergedHead rest = merge_parts<false>(part_of<kGroup>(args, part.first_block + 1, false, merge_head), part.last_block - part.first_block, 2 * kGroup * kPartialStride, merge_index);
            store_head(merge_two(whole, rest), args.output + static_cast<size_t>(part.output_head + merge_head) * Spec::kHeadSize, merge_index);
        }
    }

    if constexpr (kCluster > 1) {
        store_state<kFormat, kGroup>(state, own_results);
        wait_copies<0>();
        __syncthreads();
        merge_cluster(args, now, share_count, results, reinterpret_cast<float*>(stages), merge_head, merge_index); // replaces the copies
    }
}

} // namespace ernie
