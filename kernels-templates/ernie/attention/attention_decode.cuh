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
#include "ernie/attention/common.cuh"
#include "ernie/common/hopper.cuh"

namespace ernie {

inline constexpr int kDecodeKeys = 16; // of a warp's tile

// A warp's running softmax. Keys are the rows of the tensor core's tiles and heads the columns, so that nothing is computed twice:
// lane 4g + t has heads 2t and 2t + 1, of the scores keys g and g + 8, of the outputs 16 values of each head.
struct DecodeState {
    float4 output[8];        // values row of tile i: head 2t (x), head 2t + 1 (y); the next row: z, w
    float maximum[2], sum[2]; // of both heads; the sum is of this lane's keys
};

__device__ __forceinline__ void clear(DecodeState& state) {
#pragma unroll
    for (int i = 0; i < 8; i++) state.output[i] = {0, 0, 0, 0};
    state.maximum[0] = state.maximum[1] = kLowest;
    state.sum[0] = state.sum[1] = 0;
}

// A warp's tile in shared memory: keys, values, then the factors of each.
template <CacheFormat kFormat>
inline constexpr int kTileHalf = kDecodeKeys * kPieces<kFormat> * 16;
template <CacheFormat kFormat>
inline constexpr int kTileBytes = 2 * kTileHalf<kFormat> + (kFormat == CacheFormat::kBfloat16 ? 0 : 2 * kDecodeKeys * 4);

// How far, in powers of two, a score may be above the maximum that the sums refer to before they are brought up to date. It is as
// exact as the maximum itself, and after a few keys nothing has to be exchanged between lanes any more.
inline constexpr float kSlack = 4;

// Takes in a tile. count is how many of its keys there are.
template <CacheFormat kFormat>
__device__ __forceinline__ void attend(DecodeState& state, const unsigned (&query)[16], unsigned tile, int count, float scale) {
    constexpr bool kScaled = kFormat != CacheFormat::kBfloat16;
    const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const unsigned values = tile + kTileHalf<kFormat>, factors = values + kTileHalf<kFormat>;
    float4 sums[2] = {{0, 0, 0, 0}, {0, 0, 0, 0}}; // two chains: a product waits for the one before it
#pragma unroll
    for (int part = 0; part < kPieces<kFormat> / 4; part++) {
        const uint4 low = load_shared(tile + key_piece<kFormat>(g, part * 4 + t) * 16), high = load_shared(tile + key_piece<kFormat>(g + 8, part * 4 + t) * 16);
        if constexpr (!kScaled) {
            multiply_add(sums[0], low.x, high.x, low.y, high.y, query[part * 4], query[part * 4 + 1]);
            multiply_add(sums[1], low.z, high.z, low.w, high.w, query[part * 4 + 2], query[part * 4 + 3]);
        } else {
            const unsigned low_words[4] = {low.x, low.y, low.z, low.w}, high_words[4] = {high.x, high.y, high.z, high.w};
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const uint2 first = widen<kFormat>(low_words[i]), second = widen<kFormat>(high_words[i]);
                multiply_add_f16(sums[i % 2], first.x, second.x, first.y, second.y, query[part * 8 + 2 * i], query[part * 8 + 2 * i + 1]);
            }
        }
    }
    float factor[2] = {scale, scale};
    if constexpr (kScaled) {
        factor[0] *= load_shared_float(factors + g * 4);
        factor[1] *= load_shared_float(factors + (g + 8) * 4);
    }
    float weight[2][2]; // [key g, key g + 8][head]
    weight[0][0] = g < count ? (sums[0].x + sums[1].x) * factor[0] : kLowest;
    weight[0][1] = g < count ? (sums[0].y + sums[1].y) * factor[0] : kLowest;
    weight[1][0] = g + 8 < count ? (sums[0].z + sums[1].z) * factor[1] : kLowest;
    weight[1][1] = g + 8 < count ? (sums[0].w + sums[1].w) * factor[1] : kLowest;

    float highest[2] = {fmaxf(weight[0][0], weight[1][0]), fmaxf(weight[0][1], weight[1][1])};
    if (__any_sync(kFullWarp, highest[0] > state.maximum[0] + kSlack || highest[1] > state.maximum[1] + kSlack)) {
        float shrink[2];
#pragma unroll
        for (int h = 0; h < 2; h++) {
#pragma unroll
            for (int distance = 4; distance < 32; distance *= 2) highest[h] = fmaxf(highest[h], __shfl_xor_sync(kFullWarp, highest[h], distance));
            highest[h] = fmaxf(highest[h], state.maximum[h]);
            shrink[h] = exp2_fast(state.maximum[h] - highest[h]);
            state.maximum[h] = highest[h];
            state.sum[h] *= shrink[h];
        }
#pragma unroll
        for (int i = 0; i < 8; i++) {
            float4& o = state.output[i];
            o = {o.x * shrink[0], o.y * shrink[1], o.z * shrink[0], o.w * shrink[1]};
        }
    }
#pragma unroll
    for (int k = 0; k < 2; k++) {
#pragma unroll
        for (int h = 0; h < 2; h++) {
            weight[k][h] = exp2_fast(weight[k][h] - state.maximum[h]);
            state.sum[h] += weight[k][h];
        }
        if constexpr (kScaled) {
            const float own = load_shared_float(factors + (kDecodeKeys + g + 8 * k) * 4) * kWidenedUnit<kFormat>;
            weight[k][0] *= own;
            weight[k][1] *= own;
        }
    }

    // Rows of the scores become columns of the right operand.
    const unsigned b0 = transpose_matrix(pack_weights<kFormat>(weight[0][0], weight[0][1])), b1 = transpose_matrix(pack_weights<kFormat>(weight[1][0], weight[1][1]));
#pragma unroll
    for (int pair = 0; pair < kPieces<kFormat> / 2; pair++) {
        const uint4 v = load_matrices_transposed(values + value_piece<kFormat>(lane % 16, pair * 2 + lane / 16) * 16);
        if constexpr (!kScaled) {
            multiply_add(state.output[pair], v.x, v.z, v.y, v.w, b0, b1);
        } else {
            // A lane's words hold values 2g and 2g + 1 of 16: rows g and g + 8 of the outputs.
            uint2 first = widen<kFormat>(v.x), second = widen<kFormat>(v.y);
            multiply_add_f16(state.output[2 * pair], first.x, first.y, second.x, second.y, b0, b1);
            first = widen<kFormat>(v.z), second = widen<kFormat>(v.w);
            multiply_add_f16(state.output[2 * pair + 1], first.x, first.y, second.x, second.y, b0, b1);
        }
    }
}

// Writes a warp's results: of each head outputs, maximum, sum.
template <CacheFormat kFormat, int kGroup>
__device__ __forceinline__ void store_state(const DecodeState& state, float* results) {
    const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
#pragma unroll
    for (int h = 0; h < 2; h++) {
        float sum = state.sum[h];
#pragma unroll
        for (int distance = 4; distance < 32; distance *= 2) sum += __shfl_xor_sync(kFullWarp, sum, distance);
        if (2 * t + h >= kGroup) continue;
        float* target = results + (2 * t + h) * kPartialStride;
#pragma unroll
        for (int i = 0; i < 8; i++) {
            const float first = h == 0 ? state.output[i].x : state.output[i].y, second = h == 0 ? state.output[i].z : state.output[i].w;
            if constexpr (kFormat == CacheFormat::kBfloat16) {
                target[i * 16 + g] = first;
                target[i * 16 + 8 + g] = second;
            } else {
                *reinterpret_cast<float2*>(target + i * 16 + 2 * g) = {first, second};
            }
        }
        if (g == 0) {
            target[128] = state.maximum[h];
            target[129] = sum;
        }
    }
}

// A thread's eight values of one head, summed over parts.
struct MergedHead {
    float4 low, high; // values 4 i and 64 + 4 i for thread i of the head's 16
    float maximum, sum;
};

// What other blocks wrote must not come from this multiprocessor's own cache.
template <bool kShared, class T>
__device__ __forceinline__ T load_part(const T* source) {
    if constexpr (kShared)
        return *source;
    else
        return __ldcg(source);
}

// Merges count results that lie step floats apart, in order.
template <bool kShared>
__device__ __forceinline__ MergedHead merge_parts(const float* first, int count, int step, int i) {
    MergedHead merged = {{0, 0, 0, 0}, {0, 0, 0, 0}, kLowest, 0};
#pragma unroll 4
    for (int part = 0; part < count; part++) merged.maximum = fmaxf(merged.maximum, load_part<kShared>(first + part * step + 128));
#pragma unroll 4
    for (int part = 0; part < count; part++) {
        const float* source = first + part * step;
        const float4* values = reinterpret_cast<const float4*>(source);
        float factor = exp2_fast(load_part<kShared>(source + 128) - merged.maximum);
        float4 low = load_part<kShared>(values + i), high = load_part<kShared>(values + 16 + i);
        merged.sum += factor * load_part<kShared>(source + 129);
        merged.low = {merged.low.x + factor * low.x, merged.low.y + factor * low.y, merged.low.z + factor * low.z, merged.low.w + factor * low.w};
        merged.high = {merged.high.x + factor * high.x, merged.high.y + factor * high.y, merged.high.z + factor * high.z, merged.high.w + factor * high.w};
    }
    return merged;
}

__device__ __forceinline__ MergedHead merge_two(const MergedHead& a, const MergedHead& b) {
    float maximum = fmaxf(a.maximum, b.maximum), fa = exp2_fast(a.maximum - maximum), fb = exp2_fast(b.maximum - maximum);
    return {{fa * a.low.x + fb * b.low.x, fa * a.low.y + fb * b.low.y, fa * a.low.z + fb * b.low.z, fa * a.low.w + fb * b.low.w},
            {fa * a.high.x + fb * b.high.x, fa * a.high.y + fb * b.high.y, fa * a.high.z + fb * b.high.z, fa * a.high.w + fb * b.high.w},
            maximum,
            fa * a.sum + fb * b.sum};
}

__device__ __forceinline__ void store_head(const MergedHead& merged, Bf16* output, int i) {
    float factor = 1.0f / merged.sum;
    uint2* target = reinterpret_cast<uint2*>(output);
    target[i] = {pack_bf16(merged.low.x * factor, merged.low.y * factor), pack_bf16(merged.low.z * factor, merged.low.w * factor)};
    target[16 + i] = {pack_bf16(merged.high.x * factor, merged.high.y * factor), pack_bf16(merged.high.z * factor, merged.high.w * factor)};
}

__device__ __forceinline__ void store_part(const MergedHead& merged, float* target, int i) {
    reinterpret_cast<float4*>(target)[i] = merged.low;
    reinterpret_cast<float4*>(target)[16 + i] = merged.high;
    if (i == 0) {
        target[128] = merged.maximum;
        target[129] = merged.sum;
    }
}

__device__ __forceinline__ float load_cluster_value(unsigned address) {
    float value;
    asm volatile("ld.shared::cluster.f32 %0, [%1];" : "=f"(value) : "r"(address) : "memory");
    return value;
}

// A place in the pages of a launch: a row, one of its kv heads, a page.
template <class Spec>
struct PageWalk {
    int row, head, key_count, page_count, token;
    const int* pages;
    int page; // index in the row
    int id;   // of that page
    int left; // pages still to come in this block's share, this one included

    __device__ __forceinline__ void enter_row(const AttentionArgs& args, const StepRows& rows) {
        key_count = rows.start[row] + 1;
        token = rows.token_offset[row];
        pages = args.page_table + static_cast<size_t>(rows.slot[row]) * args.pages_per_slot;
        page_count = (key_count + Spec::kTokensPerPage - 1) / Spec::kTokensPerPage;
    }

    __device__ __forceinline__ void find_page() {
        if (left > 0) id = pages[page];
    }

    __device__ __forceinline__ void advance(const AttentionArgs& args, const StepRows& rows) {
        left--;
        page += Spec::kClusterBlocks;
        if constexpr (Spec::kClusterBlocks == 1) {
            if (left > 0 && page >= page_count) {
                page = 0;
                if (++head == Spec::kKeyValueHeads) {
                    head = 0;
                    row++;
                    enter_row(args, rows);
                }
            }
        }
        find_page();
    }
};

// A row and kv head of which a block has only a part of the pages.
struct SharedRow {
    int row_head;    // first query head among all rows' heads, or -1
    int output_head; // the same among all tokens' heads
    int first_block, last_block;
};

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
            if (skipped[i] >= 0) {
                const unsigned tile = ring + i * kTileBytes<kFormat>;
                const int key = skipped[i] % kDecodeKeys, piece = lane % kPieces<kFormat>;
                const size_t source = static_cast<size_t>(skipped[i]) * kPieces<kFormat> + piece;
                if (lane < kPieces<kFormat>)
                    copy_async(tile + key_piece<kFormat>(key, piece) * 16, static_cast<const uint4*>(args.keys) + source, true);
                else if (lane < 2 * kPieces<kFormat>)
                    copy_async(tile + kTileHalf<kFormat> + value_piece<kFormat>(key, piece) * 16, static_cast<const uint4*>(args.values) + source, true);
                if constexpr (kScaled) {
                    if (lane >= 30)
                        copy_async_word(tile + 2 * kTileHalf<kFormat> + ((lane - 30) * kDecodeKeys + key) * 4,
                                        (lane == 30 ? args.key_scales : args.value_scales) + skipped[i], true);
                }
            }
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
    auto part_of = [&](int block, bool begins) { return args.partials + (static_cast<size_t>(2 * block + begins) * kGroup + merge_head) * kPartialStride; };
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
                // A block has at most two parts: one of a row that it did not begin, one of a row that it does not end.
                auto block_of = [&](int page) { return static_cast<int>((static_cast<long long>(page + 1) * share_count - 1) / total_pages); };
                const bool begins = pair_first >= first_page;
                (begins ? begun : ended) = {now.row * Spec::kHeads + now.head * kGroup, now.token * Spec::kHeads + now.head * kGroup, block_of(pair_first), block_of(pair_end - 1)};
                if (merge_head < kGroup) store_part(merged, part_of(blockIdx.x, begins), merge_index);
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
        if (threadIdx.x < 2) {
            const SharedRow part = threadIdx.x == 0 ? ended : begun;
            bool last = false;
            if (part.row_head >= 0) {
                last = atomicAdd(args.arrivals + part.row_head, 1) == part.last_block - part.first_block;
                if (last) args.arrivals[part.row_head] = 0;
            }
            is_last[threadIdx.x] = last;
        }
        __syncthreads();
        __threadfence();
#pragma unroll
        for (int i = 0; i < 2; i++) {
            if (!is_last[i] || merge_head >= kGroup) continue;
            // The first part begins the row, the others do not: theirs lie two slots apart.
            const SharedRow part = i == 0 ? ended : begun;
            MergedHead whole = merge_parts<false>(part_of(part.first_block, true), 1, 0, merge_index);
            MergedHead rest = merge_parts<false>(part_of(part.first_block + 1, false), part.last_block - part.first_block, 2 * kGroup * kPartialStride, merge_index);
            store_head(merge_two(whole, rest), args.output + static_cast<size_t>(part.output_head + merge_head) * Spec::kHeadSize, merge_index);
        }
    }

    if constexpr (kCluster > 1) {
        store_state<kFormat, kGroup>(state, own_results);
        wait_copies<0>();
        __syncthreads();
        // The block's results replace the copies.
        float* block_results = reinterpret_cast<float*>(stages);
        if (merge_head < kGroup) {
            MergedHead merged = merge_parts<true>(results + merge_head * kPartialStride, kWarps, kGroup * kPartialStride, merge_index);
            store_part(merged, block_results + merge_head * kPartialStride, merge_index);
        }
        synchronize_cluster();
        const int rank = blockIdx.x % kCluster, cluster = blockIdx.x / kCluster, value = threadIdx.x;
        for (int head = rank; head < kGroup; head += kCluster) {
            const unsigned source = shared_address(block_results + head * kPartialStride);
            float maxima[kCluster], sums[kCluster], values[kCluster];
#pragma unroll
            for (int block = 0; block < kCluster; block++) {
                const unsigned there = address_in_block(source, block);
                const float2 pair = load_cluster(there + 128 * 4);
                maxima[block] = pair.x;
                sums[block] = pair.y;
                values[block] = load_cluster_value(there + value * 4);
            }
            float maximum = maxima[0], sum = 0, result = 0;
#pragma unroll
            for (int block = 1; block < kCluster; block++) maximum = fmaxf(maximum, maxima[block]);
#pragma unroll
            for (int block = 0; block < kCluster; block++) {
                float factor = exp2_fast(maxima[block] - maximum);
                sum += factor * sums[block];
                result += factor * values[block];
            }

            const int query_head = now.head * kGroup + head;
            Bf16* output = args.output + (static_cast<size_t>(now.token) * Spec::kHeads + query_head) * Spec::kHeadSize;
            if (share_count > 1) {
                const size_t part_step = kPartialStride, first_part = (static_cast<size_t>(now.row) * Spec::kHeads + query_head) * (gridDim.x / kCluster);
                float* part = args.partials + (first_part + cluster) * part_step;
                part[value] = result;
                if (value == 0) {
                    part[128] = maximum;
                    part[129] = sum;
                }
                __threadfence();
                __syncthreads();
                int* is_last = reinterpret_cast<int*>(results + 130);
                if (value == 0) {
                    int* arrivals = args.arrivals + now.row * Spec::kHeads + query_head;
                    *is_last = atomicAdd(arrivals, 1) == share_count - 1;
                    if (*is_last) *arrivals = 0;
                }
                __syncthreads();
                const bool merges = *is_last;
                __syncthreads();
                if (!merges) continue;

                __threadfence();
                const float* first = args.partials + first_part * part_step;
                maximum = kLowest;
                for (int i = 0; i < share_count; i++) maximum = fmaxf(maximum, __ldcg(first + i * part_step + 128));
                sum = result = 0;
                for (int i = 0; i < share_count; i++) {
                    float factor = exp2_fast(__ldcg(first + i * part_step + 128) - maximum);
                    sum += factor * __ldcg(first + i * part_step + 129);
                    result += factor * __ldcg(first + i * part_step + value);
                }
            }
            output[value] = {static_cast<unsigned short>(pack_bf16(result / sum, 0))};
        }
        synchronize_cluster(); // no block may end while another reads its results
    }
}

} // namespace ernie
