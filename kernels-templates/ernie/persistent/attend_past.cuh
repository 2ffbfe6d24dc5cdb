// Attention of the persistent kernel's one token: a cluster has one or two heads, and each warp of it tiles of 16 keys. The first of them
// are copied to shared memory a layer ahead; the token's own key and value come from the blocks that have just computed them.
#pragma once
#include "ernie/attention/common.cuh"
#include "ernie/persistent/exchange.cuh"

namespace ernie {

inline constexpr int kTileKeys = 16;

// A warp's tiles, the same in every layer.
struct TilePlaces {
    int count;
    int last_keys;      // that are seen of the last tile
    const int* sources; // shared, [count]: first key of each, in keys from the layer's first
};

template <class Spec>
struct PastTiles {
    static constexpr CacheFormat kFormat = CacheFormat::kBfloat16;
    static constexpr int kHeadPieces = Spec::kHeadSize / 8;
    static constexpr int kHalf = kTileKeys * kHeadPieces * 16; // bytes of the keys; the values follow
    static constexpr int kTileBytes = 2 * kHalf;
    static constexpr int kBuffers = Spec::kTileBuffers; // of a warp
    static constexpr int kBytes = kBuffers * kTileBytes;
    static constexpr int kHeads = Spec::kClusterHeads;
    static constexpr int kStride = Spec::kHeadSize + 4; // of a result: values, maximum, sum
    static_assert(Spec::kHeadSize == 128 && kHeads <= 2, "eight parts of 16 values, two columns");

    // Starts copying a tile of the warp's keys and values, if there is one; one group of copies in any case. Keys that are not seen become
    // zeros: what is multiplied must be finite.
    static __device__ __forceinline__ void copy(unsigned buffers, const TilePlaces& places, int index, const Bf16* keys, const Bf16* values) {
        const int lane = threadIdx.x % 32, piece = lane % kHeadPieces;
        if (index < places.count) {
            const unsigned tile = buffers + index % kBuffers * kTileBytes;
            const int seen = index + 1 < places.count ? kTileKeys : places.last_keys;
            const size_t first = static_cast<size_t>(places.sources[index]) * kHeadPieces + piece;
#pragma unroll 4
            for (int key = lane / kHeadPieces; key < kTileKeys; key += 2) {
                const size_t source = first + key * kHeadPieces;
                copy_async(tile + key_piece<kFormat>(key, piece) * 16, reinterpret_cast<const uint4*>(keys) + source, key < seen);
                copy_async(tile + kHalf + value_piece<kFormat>(key, piece) * 16, reinterpret_cast<const uint4*>(values) + source, key < seen);
            }
        }
        commit_copies();
    }

    // The first tiles of a layer.
    static __device__ __forceinline__ void copy_first(unsigned buffers, const TilePlaces& places, const Bf16* keys, const Bf16* values) {
#pragma unroll
        for (int i = 0; i < kBuffers; i++) copy(buffers, places, i, keys, values);
    }

    // The warp's keys and values for the heads' queries (bf16 [heads, head size], shared): of each head the sums of values, their maximum
    // score and sum of weights to result. Keys and values are the left operands, and the heads' queries, then weights, the columns of the
    // right one in turn. Lane 4g + t has scores of keys g and g + 8, and outputs of values g and g + 8 of each 16, of the first head in x
    // and z, of the last in y and w.
    static __device__ __forceinline__ void attend(unsigned buffers, const TilePlaces& places, const Bf16* keys, const Bf16* values, unsigned queries, float* result) {
        const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
        const unsigned query = queries + g % kHeads * (Spec::kHeadSize * 2);
        float4 output[8];
#pragma unroll
        for (int part = 0; part < 8; part++) output[part] = {0, 0, 0, 0};
        float maximum[2] = {kLowest, kLowest}, sum[2] = {0, 0};
#pragma unroll 1
        for (int index = 0; index < places.count; index++) {
            const unsigned tile = buffers + index % kBuffers * kTileBytes;
            const int seen = index + 1 < places.count ? kTileKeys : places.last_keys;
            wait_copies<kBuffers - 1>();
            __syncwarp();
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
            // A tile has a key that is seen, so the maximum is one of a score.
            float highest[2] = {fmaxf(maximum[0], fmaxf(low[0], high[0])), fmaxf(maximum[1], fmaxf(low[1], high[1]))};
#pragma unroll
            for (int distance = 4; distance < 32; distance *= 2) {
                highest[0] = fmaxf(highest[0], __shfl_xor_sync(kFullWarp, highest[0], distance));
                highest[1] = fmaxf(highest[1], __shfl_xor_sync(kFullWarp, highest[1], distance));
            }
            const float factor[2] = {exp2_fast(maximum[0] - highest[0]), exp2_fast(maximum[1] - highest[1])};
            const float low_weight[2] = {exp2_fast(low[0] - highest[0]), exp2_fast(low[1] - highest[1])};
            const float high_weight[2] = {exp2_fast(high[0] - highest[0]), exp2_fast(high[1] - highest[1])};
#pragma unroll
            for (int h = 0; h < 2; h++) {
                maximum[h] = highest[h];
                sum[h] = sum[h] * factor[h] + low_weight[h] + high_weight[h]; // of this lane's keys
            }
            const unsigned low_weights = transpose_matrix(pack_bf16(low_weight[0], low_weight[1])), high_weights = transpose_matrix(pack_bf16(high_weight[0], high_weight[1]));
#pragma unroll
            for (int part = 0; part < 8; part++) {
                output[part] = {output[part].x * factor[0], output[part].y * factor[1], output[part].z * factor[0], output[part].w * factor[1]};
                const uint4 v = load_matrices_transposed(tile + kHalf + value_piece<kFormat>(lane % 16, part * 2 + lane / 16) * 16);
                multiply_add(output[part], v.x, v.z, v.y, v.w, low_weights, high_weights);
            }
            __syncwarp();
            copy(buffers, places, index + kBuffers, keys, values);
        }
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
