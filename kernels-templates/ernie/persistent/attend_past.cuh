// Attention of the persistent kernel's one token: blocks that attend take a chunk of a key/value head's past each, a warp 16 keys at a
// time. Copies of a layer's first keys start at the beginning of the layer, long before its query is known; the token's own key and
// value come with the query and are put among them.
#pragma once
#include "ernie/attention/common.cuh"
#include "ernie/persistent/exchange.cuh"

namespace ernie {

// Where a block stands in attention, the same in every layer; in shared memory, because it is seldom looked at.
struct AttentionShare {
    const int* page_table; // of the slot
    ulonglong2* words;     // exchange buffers; read from here where addresses are many, so that they are not kept over all layers
    const int2* updates;   // of the page table, not yet in it for sure
    int update_count, slot_offset;
    int position;          // of the token
    bool attends;
    bool owns_last;        // the chunk that ends with the token itself
    int head;              // key/value head
    int split;             // number of the chunk
    int first_tile;        // tiles of 16 keys
    int tiles;
    int used_splits;       // chunks that have keys, of all blocks
    int own_page;          // of the token
    int first_page[32];    // of each warp's first tile
};

template <class Spec>
struct PastAttention {
    static constexpr int kWarps = Spec::kWorkingWarps;
    static constexpr int kGroup = Spec::kHeads / Spec::kKeyValueHeads;
    static constexpr int kKeys = 16;
    static constexpr int kTileBytes = kKeys * kHeadPieces * 16;
    static constexpr int kStageBytes = 2 * kTileBytes; // of a warp: keys, values; in the end its result
    static constexpr int kStride = Spec::kHeadSize + 2; // outputs, maximum, sum
    static_assert(Spec::kHeadSize == 128 && kGroup <= 8 && kGroup <= kWarps, "a warp merges a head");
    static_assert(kGroup * kStride * 4 <= kStageBytes, "a warp's result fits where its keys were");

    AttentionShare& share;
    char* stages;   // of all warps
    int warp, lane;

    // How the keys of position + 1 tokens are shared out: at least a tile of keys to a warp, no more chunks than there are blocks for them.
    // Every thread writes the same.
    __device__ __forceinline__ void plan(int blocks) {
        const int all = share.position / kKeys + 1;
        const int wanted = min(Spec::kSplits, (all + kWarps - 1) / kWarps), per_split = (all + wanted - 1) / wanted;
        const int stride = blocks / (Spec::kSplits * Spec::kKeyValueHeads);
        const int unit = static_cast<int>(blockIdx.x) / stride;
        const int split = unit / Spec::kKeyValueHeads, used = (all + per_split - 1) / per_split;
        const bool attends = blockIdx.x % stride == 0 && split < used;
        const int first_tile = split * per_split, tiles = min(per_split, all - first_tile);
        share.used_splits = used;
        share.head = unit % Spec::kKeyValueHeads;
        share.split = split;
        share.attends = attends;
        share.first_tile = first_tile;
        share.tiles = tiles;
        share.owns_last = split == used - 1;
        if (attends) share.own_page = page(share.position);
        if (attends && warp < tiles) share.first_page[warp] = page((first_tile + warp) * kKeys);
    }

    __device__ __forceinline__ int page(int key) const {
        const int index = key / Spec::kTokensPerPage;
        int found = share.page_table[index];
#pragma unroll 1
        for (int i = 0; i < share.update_count; i++)
            if (share.updates[i].x == share.slot_offset + index) found = share.updates[i].y;
        return found;
    }

    __device__ __forceinline__ size_t piece_of(int page, int key) const {
        return ((static_cast<size_t>(page) * Spec::kKeyValueHeads + share.head) * Spec::kTokensPerPage + key % Spec::kTokensPerPage) * kHeadPieces;
    }

    // Starts copying this warp's tile number i. layer: what has the keys and values, in shared memory.
    template <class Layer>
    __device__ __forceinline__ void copy_tile(const Layer& layer, int i) {
        const int tile = i * kWarps + warp;
        if (!share.attends || tile >= share.tiles) return;
        const int first = (share.first_tile + tile) * kKeys;
        const size_t source = piece_of(i == 0 ? share.first_page[warp] : page(first), first);
        const unsigned stage = shared_address(stages) + warp * kStageBytes;
        const int position = share.position;
#pragma unroll 1
        for (int j = lane; j < kKeys * kHeadPieces; j += 32) {
            const int key = j / kHeadPieces, piece = j % kHeadPieces;
            if (first + key == position) continue; // comes with the query
            const bool valid = first + key < position; // what follows must be finite
            copy_async(stage + key_piece(key, piece) * 16, reinterpret_cast<const uint4*>(layer.keys) + source + j, valid);
            copy_async(stage + kTileBytes + value_piece(key, piece) * 16, reinterpret_cast<const uint4*>(layer.values) + source + j, valid);
        }
        commit_copies();
    }

    // Whether the token's own key and value are met by tile number i of their warp.
    __device__ __forceinline__ bool holds_token(int i) const { return share.owns_last && i * kWarps + warp == share.tiles - 1; }

    // Four values of the token's key (or value), from value 4 * quad on, to this warp's tile.
    __device__ __forceinline__ void put(char* warp_stage, bool is_key, int quad, uint2 four) const {
        const int row = share.position % kKeys, piece = quad / 2;
        char* at = warp_stage + (is_key ? key_piece(row, piece) : kKeys * kHeadPieces + value_piece(row, piece)) * 16 + quad % 2 * 8;
        *reinterpret_cast<uint2*>(at) = four;
    }

    // Attends to all tiles of this warp. Keys and values are the left operands and the group's heads the eight columns of the right one:
    // lane 4g + t has scores of keys g and g + 8, and outputs of values g and g + 8 of each 16, for heads 2t and 2t + 1.
    // query: bf16 [group, head size] in shared memory; own: [2, head size] the token's key and value.
    template <class Layer>
    __device__ __forceinline__ void run(const Layer& layer, const uint4* query_rows, const uint2* own) {
        const int g = lane / 4, t = lane % 4;
        const uint4* query = query_rows + min(g, kGroup - 1) * kHeadPieces + t;
        float4 output[8];
#pragma unroll
        for (int i = 0; i < 8; i++) output[i] = {0, 0, 0, 0};
        float maximum[2] = {-1e30f, -1e30f}, sum[2] = {0, 0};
        char* mine = stages + warp * kStageBytes;
        const unsigned stage = shared_address(mine);
#pragma unroll 1
        for (int i = 0; i * kWarps + warp < share.tiles; i++) {
            if (i > 0) copy_tile(layer, i);
            if (holds_token(i)) {
                put(mine, true, lane, own[lane]);
                put(mine, false, lane, own[32 + lane]);
            }
            wait_copies<0>();
            __syncwarp();
            float4 scores = {0, 0, 0, 0};
#pragma unroll 2
            for (int part = 0; part < 4; part++) {
                const uint4 low = load_shared(stage + key_piece(g, part * 4 + t) * 16), high = load_shared(stage + key_piece(g + 8, part * 4 + t) * 16);
                const uint4 x = query[part * 4];
                multiply_add(scores, low.x, high.x, low.y, high.y, x.x, x.y);
                multiply_add(scores, low.z, high.z, low.w, high.w, x.z, x.w);
            }
            const int key = (share.first_tile + i * kWarps + warp) * kKeys + g;
            const bool sees_low = key <= share.position, sees_high = key + 8 <= share.position;
            scores = {sees_low ? scores.x * Spec::kScale : -1e30f, sees_low ? scores.y * Spec::kScale : -1e30f,
                      sees_high ? scores.z * Spec::kScale : -1e30f, sees_high ? scores.w * Spec::kScale : -1e30f};
            // A tile has a key that is seen, so the maximum is one of a score.
            float highest[2] = {fmaxf(maximum[0], fmaxf(scores.x, scores.z)), fmaxf(maximum[1], fmaxf(scores.y, scores.w))};
#pragma unroll
            for (int distance = 4; distance < 32; distance *= 2) {
                highest[0] = fmaxf(highest[0], __shfl_xor_sync(kFullWarp, highest[0], distance));
                highest[1] = fmaxf(highest[1], __shfl_xor_sync(kFullWarp, highest[1], distance));
            }
            const float factor[2] = {exp2f(maximum[0] - highest[0]), exp2f(maximum[1] - highest[1])};
            maximum[0] = highest[0];
            maximum[1] = highest[1];
            scores = {exp2f(scores.x - maximum[0]), exp2f(scores.y - maximum[1]), exp2f(scores.z - maximum[0]), exp2f(scores.w - maximum[1])};
            sum[0] = sum[0] * factor[0] + scores.x + scores.z; // this lane's keys; the eight lanes of a head are added at the end
            sum[1] = sum[1] * factor[1] + scores.y + scores.w;
            const unsigned low = transpose(pack_bf16(scores.x, scores.y)), high = transpose(pack_bf16(scores.z, scores.w));
#pragma unroll
            for (int part = 0; part < 8; part++) {
                output[part] = {output[part].x * factor[0], output[part].y * factor[1], output[part].z * factor[0], output[part].w * factor[1]};
                const uint4 v = load_matrices_transposed(stage + kTileBytes + value_piece(lane % 16, part * 2 + lane / 16) * 16);
                multiply_add(output[part], v.x, v.z, v.y, v.w, low, high);
            }
            __syncwarp();
        }
#pragma unroll
        for (int distance = 4; distance < 32; distance *= 2) {
            sum[0] += __shfl_xor_sync(kFullWarp, sum[0], distance);
            sum[1] += __shfl_xor_sync(kFullWarp, sum[1], distance);
        }
        float* result = reinterpret_cast<float*>(mine) + 2 * t * kStride;
#pragma unroll
        for (int h = 0; h < 2; h++, result += kStride) {
            if (2 * t + h >= kGroup) break;
#pragma unroll
            for (int part = 0; part < 8; part++) {
                result[part * 16 + g] = h == 0 ? output[part].x : output[part].y;
                result[part * 16 + 8 + g] = h == 0 ? output[part].z : output[part].w;
            }
            if (g == 0) {
                result[Spec::kHeadSize] = maximum[h];
                result[Spec::kHeadSize + 1] = sum[h];
            }
        }
    }

    // Four values of a head from all warps' results, normalised; and log2 of the sum of the chunk's weights.
    __device__ __forceinline__ float4 merge(int head, float& weight) const {
        const int active = min(kWarps, share.tiles);
        const float* first = reinterpret_cast<const float*>(stages) + head * kStride;
        constexpr int kStep = kStageBytes / 4;
        float maxima[kWarps], maximum = -1e30f, sum = 0;
#pragma unroll
        for (int w = 0; w < kWarps; w++) {
            maxima[w] = first[min(w, active - 1) * kStep + Spec::kHeadSize];
            maximum = fmaxf(maximum, maxima[w]);
        }
        float4 total = {0, 0, 0, 0};
#pragma unroll
        for (int w = 0; w < kWarps; w++) {
            const float* from = first + min(w, active - 1) * kStep;
            const float factor = w < active ? exp2f(maxima[w] - maximum) : 0;
            const float2 left = reinterpret_cast<const float2*>(from)[2 * lane], right = reinterpret_cast<const float2*>(from)[2 * lane + 1];
            total.x += factor * left.x;
            total.y += factor * left.y;
            total.z += factor * right.x;
            total.w += factor * right.y;
            sum += factor * from[Spec::kHeadSize + 1];
        }
        weight = maximum + log2f(sum);
        const float inverse = __fdividef(1.0f, sum);
        return {total.x * inverse, total.y * inverse, total.z * inverse, total.w * inverse};
    }
};

} // namespace ernie
