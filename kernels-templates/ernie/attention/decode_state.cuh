// A warp's part of decode attention: tiles of 16 keys in shared memory and the softmax that runs over them.
#pragma once
#include "ernie/attention/common.cuh"

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

} // namespace ernie
