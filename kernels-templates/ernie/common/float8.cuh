// Activations in e4m3 with an f32 factor per token and 128 values: codes [tokens, width], of each 64 in the order that weights.cuh
// gives 8-bit elements, so that both operands of a product have it; factors [width / 128, stride]. Compute capability 8.9 and later.
#pragma once
#include "ernie/common/device.cuh"

namespace ernie {

// Where a kernel leaves quantised rows.
struct QuantizedRows {
    unsigned char* codes;
    float* factors;
    int stride; // tokens from one 128 values' factors to the next; a multiple of 128, so that whole tiles may be read
};

inline constexpr float kLargestE4m3 = 448.0f;

// What a value whose largest neighbour is `largest` is multiplied by before it is rounded; blocks of next to nothing become zeros.
__device__ __forceinline__ float inverse_factor(float largest) { return largest > 0x1p-100f ? kLargestE4m3 / largest : 0.0f; }

// Two codes, the first in the low byte; saturates.
__device__ __forceinline__ unsigned pack_e4m3(float low, float high) {
    unsigned short pair;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(high), "f"(low));
    return pair;
}

__device__ __forceinline__ float quad_max(float value) {
    value = fmaxf(value, __shfl_xor_sync(kFullWarp, value, 1));
    return fmaxf(value, __shfl_xor_sync(kFullWarp, value, 2));
}

__device__ __forceinline__ float quad_sum(float value) {
    value += __shfl_xor_sync(kFullWarp, value, 1);
    return value + __shfl_xor_sync(kFullWarp, value, 2);
}

// Word i of lane t of four goes to word t of lane i.
__device__ __forceinline__ void transpose_quad(unsigned (&words)[4]) {
    const bool is_odd = threadIdx.x & 1, is_high = threadIdx.x & 2;
#pragma unroll
    for (int i = 0; i < 4; i += 2) {
        unsigned other = __shfl_xor_sync(kFullWarp, is_odd ? words[i] : words[i + 1], 1);
        (is_odd ? words[i] : words[i + 1]) = other;
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
        unsigned other = __shfl_xor_sync(kFullWarp, is_high ? words[i] : words[i + 2], 2);
        (is_high ? words[i] : words[i + 2]) = other;
    }
}

// Byte i of lane t of four goes to byte t of lane i.
__device__ __forceinline__ unsigned transpose_quad_bytes(unsigned word) {
    unsigned other = __shfl_xor_sync(kFullWarp, word, 1);
    word = threadIdx.x & 1 ? __byte_perm(word, other, 0x3715) : __byte_perm(word, other, 0x6240);
    other = __shfl_xor_sync(kFullWarp, word, 2);
    return threadIdx.x & 2 ? __byte_perm(word, other, 0x3276) : __byte_perm(word, other, 0x5410);
}

// Codes of 64 neighbouring values of a row, of which lane t of four has 8p + 2t and the one behind it, p below 8: a lane's 16 bytes.
__device__ __forceinline__ uint4 codes_of_pairs(const float2* values, float inverse) {
    unsigned words[4];
#pragma unroll
    for (int i = 0; i < 4; i++)
        words[i] = pack_e4m3(values[i].x * inverse, values[i].y * inverse) |
                   pack_e4m3(values[i + 4].x * inverse, values[i + 4].y * inverse) << 16;
    transpose_quad(words);
    return {__byte_perm(words[0], words[1], 0x5140), __byte_perm(words[2], words[3], 0x5140),
            __byte_perm(words[0], words[1], 0x7362), __byte_perm(words[2], words[3], 0x7362)};
}

// The same of values 4p + t, p below 16. The lane's 16 bytes lie at piece_of_singles.
__device__ __forceinline__ uint4 codes_of_singles(const float* values, float inverse) {
    unsigned words[4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const float* v = values + 4 * i;
        unsigned word = pack_e4m3(v[0] * inverse, v[1] * inverse) | pack_e4m3(v[2] * inverse, v[3] * inverse) << 16;
        words[i] = __byte_perm(transpose_quad_bytes(word), 0, 0x3120);
    }
    // A piece is made of two words of each of two neighbouring lanes.
    const bool is_odd = threadIdx.x & 1;
    unsigned first = __shfl_xor_sync(kFullWarp, is_odd ? words[0] : words[1], 1);
    unsigned second = __shfl_xor_sync(kFullWarp, is_odd ? words[2] : words[3], 1);
    if (is_odd) return {first, words[1], second, words[3]};
    return {words[0], first, words[2], second};
}

// Stores a row's 128 values of which lane l of a warp has 4l and the three behind it, value 128 * block first.
__device__ __forceinline__ void store_codes_of_quads(const QuantizedRows& rows, int token, int width, int block, float4 values) {
    const int lane = threadIdx.x % 32;
    const float largest = warp_max(fmaxf(fmaxf(fabsf(values.x), fabsf(values.y)), fmaxf(fabsf(values.z), fabsf(values.w))));
    const float inverse = inverse_factor(largest);
    unsigned* target = reinterpret_cast<unsigned*>(rows.codes + static_cast<size_t>(token) * width + block * 128);
    // Word l of 16 is the (l % 2)th of piece l / 2 % 4, in its lower half for the first 32 values and in its upper for the others.
    target[lane / 16 * 16 + lane / 2 % 4 * 4 + lane / 8 % 2 * 2 + lane % 2] =
        pack_e4m3(values.x * inverse, values.z * inverse) | pack_e4m3(values.y * inverse, values.w * inverse) << 16;
    if (lane == 0) rows.factors[static_cast<size_t>(block) * rows.stride + token] = largest / kLargestE4m3;
}

__device__ __forceinline__ int piece_of_singles() { return (threadIdx.x & 1) * 2 + (threadIdx.x >> 1 & 1); }

} // namespace ernie
