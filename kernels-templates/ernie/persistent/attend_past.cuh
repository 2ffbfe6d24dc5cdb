// Attention of the persistent kernel's one token: a cluster has one or two heads, and each warp of it 16 keys at most. They are copied to
// shared memory a layer ahead; the token's own key and value come from the blocks that have just computed them and are met last.
#pragma once
#include "ernie/attention/common.cuh"
#include "ernie/persistent/exchange.cuh"

namespace ernie {

inline constexpr int kTileKeys = 16;

// A warp's tile, the same in every layer.
struct TilePlace {
    int keys;      // that are seen; 0: the warp has no tile
    size_t source; // of the first key, in 16-byte pieces from the layer's first
};

template <class Spec>
struct PastTile {
    static constexpr CacheFormat kFormat = CacheFormat::kBfloat16;
    static constexpr int kHeadPieces = Spec::kHeadSize / 8;
    static constexpr int kHalf = kTileKeys * kHeadPieces * 16; // bytes of the keys; the values follow
    static constexpr int kBytes = 2 * kHalf;
    static constexpr int kHeads = Spec::kClusterHeads;
    static constexpr int kStride = Spec::kHeadSize + 4; // of a result: values, maximum, sum
    static_assert(Spec::kHeadSize == 128 && kHeads <= 2, "eight parts of 16 values, two columns");

    // Starts copying the warp's keys and values. Keys that are not seen become zeros: what is multiplied must be finite.
    static __device__ __forceinline__ void copy(unsigned tile, TilePlace place, const Bf16* keys, const Bf16* values) {
        const int lane = threadIdx.x % 32, piece = lane % kHeadPieces;
        if (place.keys == 0) return;
#pragma unroll 4
        for (int key = lane / kHeadPieces; key < kTileKeys; key += 2) {
            const size_t source = place.source + key * kHeadPieces + piece;
            copy_async(tile + key_piece<kFormat>(key, piece) * 16, reinterpret_cast<const uint4*>(keys) + source, key < place.keys);
            copy_async(tile + kHalf + value_piece<kFormat>(key, piece) * 16, reinterpret_cast<const uint4*>(values) + source, key < place.keys);
        }
        commit_copies();
    }

    // The warp's keys and values for the heads' queries (bf16 [heads, head size], shared): of each head the sums of values, their maximum
    // score and sum of weights to result. Keys and values are the left operands, and the heads' queries, then weights, the columns of the
    // right one in turn. Lane 4g + t has scores of keys g and g + 8, and outputs of values g and g + 8 of each 16, of the first head in x
    // and z, of the last in y and w.
    static __device__ __forceinline__ void attend(unsigned tile, int seen, unsigned queries, float* result) {
        const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
        const unsigned query = queries + g % kHeads * (Spec::kHeadSize * 2);
        float4 sums[2] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
#pragma unroll
        for (int part = 0; part < 4; part++) {
            const uint4 low = load_shared(tile + key_piece<kFormat>(g, part * 4 + t) * 16), high = load_shared(tile + key_piece<kFormat>(g + 8, part * 4 + t) * 16);
            const uint4 x = load_shared(query + (part * 4 + t) * 16);
            multiply_add(sums[part % 2], low.x, high.x, low.y, high.y, x.x, x.y);
            multiply_add(sums[part % 2], low.z, high.z, low.w, high.w, x.z, x.w);
        }
        const bool sees_low = g < seen, sees_high = g + 8 < seen;
        const float low[2] = {sees_low ? (sums[0].x + sums[1].x) * Spec::kScale : kLowest, sees_low ? (sums[0].y + sums[1].y) * Spec::kScale : kLowest};
        const float high[2] = {sees_high ? (sums[0].z + sums[1].z) * Spec::kScale : kLowest, sees_high ? (sums[0].w + sums[1].w) * Spec::kScale : kLowest};
        float maximum[2] = {fmaxf(low[0], high[0]), fmaxf(low[1], high[1])}; // of a score: the first key is seen
#pragma unroll
        for (int distance = 4; distance < 32; distance *= 2) {
            maximum[0] = fmaxf(maximum[0], __shfl_xor_sync(kFullWarp, maximum[0], distance));
            maximum[1] = fmaxf(maximum[1], __shfl_xor_sync(kFullWarp, maximum[1], distance));
        }
        const float low_weight[2] = {exp2_fast(low[0] - maximum[0]), exp2_fast(low[1] - maximum[1])};
        const float high_weight[2] = {exp2_fast(high[0] - maximum[0]), exp2_fast(high[1] - maximum[1])};
        const unsigned low_weights = transpose_matrix(pack_bf16(low_weight[0], low_weight[1])), high_weights = transpose_matrix(pack_bf16(high_weight[0], high_weight[1]));
        float4 output[8];
#pragma unroll
        for (int part = 0; part < 8; part++) {
            output[part] = {0, 0, 0, 0};
            const uint4 v = load_matrices_transposed(tile + kHalf + value_piece<kFormat>(lane % 16, part * 2 + lane / 16) * 16);
            multiply_add(output[part], v.x, v.z, v.y, v.w, low_weights, high_weights);
        }
        float sum[2] = {low_weight[0] + high_weight[0], low_weight[1] + high_weight[1]};
#pragma unroll
        for (int distance = 4; distance < 32; distance *= 2) {
            sum[0] += __shfl_xor_sync(kFullWarp, sum[0], distance);
            sum[1] += __shfl_xor_sync(kFullWarp, sum[1], distance);
        }
#pragma unroll
        for (int part = 0; part < 8; part++) {
            if (part / 2 != t) continue; // all lanes of a row have the same
            result[part * 16 + g] = output[part].x;
            result[part * 16 + 8 + g] = output[part].z;
            if constexpr (kHeads == 2) {
                result[kStride + part * 16 + g] = output[part].y;
                result[kStride + part * 16 + 8 + g] = output[part].w;
            }
        }
        if (lane < kHeads) *reinterpret_cast<float2*>(result + lane * kStride + Spec::kHeadSize) = {lane == 0 ? maximum[0] : maximum[1], lane == 0 ? sum[0] : sum[1]};
    }
};

} // namespace ernie
