// How keys and values lie in the cache, and what tensor cores make of them.
//   pages    [pages, kv heads, tokens per page, head size]: one page of one head is contiguous
//   scales   8-bit formats: f32 [pages, kv heads, tokens per page], one factor per token and head
// 8-bit elements are widened to f16, which holds every e4m3 and int8 value exactly; the factors go to the scores and to the weights.
#pragma once
#include "ernie/common/device.cuh"

namespace ernie {

enum class CacheFormat { kBfloat16, kFloat8, kInt8 };

// Mirrors Ernie.Cpu's and the tests' codec: absmax is the largest code.
template <CacheFormat kFormat>
inline constexpr float kLargestCode = kFormat == CacheFormat::kFloat8 ? 448.0f : 127.0f;

// What widen's results are to be multiplied by besides the token's factor.
#if __CUDA_ARCH__ >= 890
template <CacheFormat kFormat>
inline constexpr float kWidenedUnit = 1.0f;
#else
template <CacheFormat kFormat>
inline constexpr float kWidenedUnit = kFormat == CacheFormat::kFloat8 ? 256.0f : 1.0f;
#endif

// Bytes 0 and 2 of a word (x) and bytes 1 and 3 (y) as pairs of f16.
template <CacheFormat kFormat>
__device__ __forceinline__ uint2 widen(unsigned word) {
    uint2 pairs;
    if constexpr (kFormat == CacheFormat::kInt8) {
        // 1024 + (value + 128) has the byte as its last bits.
        unsigned biased = word ^ 0x80808080u, offset = 0x64806480u;
        asm("sub.rn.f16x2 %0, %1, %2;" : "=r"(pairs.x) : "r"(__byte_perm(biased, 0x64646464u, 0x4240)), "r"(offset));
        asm("sub.rn.f16x2 %0, %1, %2;" : "=r"(pairs.y) : "r"(__byte_perm(biased, 0x64646464u, 0x4341)), "r"(offset));
    } else {
#if __CUDA_ARCH__ >= 890
        unsigned sorted = __byte_perm(word, 0, 0x3120);
        asm("{\n.reg .b16 low, high;\nmov.b32 {low, high}, %2;\ncvt.rn.f16x2.e4m3x2 %0, low;\ncvt.rn.f16x2.e4m3x2 %1, high;\n}"
            : "=r"(pairs.x), "=r"(pairs.y)
            : "r"(sorted));
#else
        // Exponents are biased by 7 there and by 15 here: without moving them values are 2^-8 of what they should be, subnormals too.
        unsigned low = word << 8;
        pairs.x = (low & 0x80008000u) | (low >> 1 & 0x3f803f80u);
        pairs.y = (word & 0x80008000u) | (word >> 1 & 0x3f803f80u);
#endif
    }
    return pairs;
}

__device__ __forceinline__ unsigned pack_f16(float low, float high) {
    unsigned pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

__device__ __forceinline__ float2 f16_to_float(unsigned pair) {
    float2 values;
    asm("{\n.reg .b16 low, high;\nmov.b32 {low, high}, %2;\ncvt.f32.f16 %0, low;\ncvt.f32.f16 %1, high;\n}" : "=f"(values.x), "=f"(values.y) : "r"(pair));
    return values;
}

// As multiply_add of device.cuh, for f16.
__device__ __forceinline__ void multiply_add_f16(float4& d, unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0, unsigned b1) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(d.x), "+f"(d.y), "+f"(d.z), "+f"(d.w)
                 : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

template <CacheFormat kFormat>
__device__ __forceinline__ void multiply_add(float4& d, unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0, unsigned b1) {
    if constexpr (kFormat == CacheFormat::kBfloat16)
        multiply_add(d, a0, a1, a2, a3, b0, b1);
    else
        multiply_add_f16(d, a0, a1, a2, a3, b0, b1);
}

template <CacheFormat kFormat>
__device__ __forceinline__ unsigned pack_weights(float low, float high) {
    return kFormat == CacheFormat::kBfloat16 ? pack_bf16(low, high) : pack_f16(low, high);
}

// One token's 128 values of a head in 8 bits, four per lane of a warp: the largest magnitude is the largest code.
struct QuantizedHead {
    unsigned codes;
    float scale;
};

template <CacheFormat kFormat>
__device__ __forceinline__ QuantizedHead quantize_head(uint2 words) {
    const float values[4] = {low_to_float(words.x), high_to_float(words.x), low_to_float(words.y), high_to_float(words.y)};
    const float largest = warp_max(fmaxf(fmaxf(fabsf(values[0]), fabsf(values[1])), fmaxf(fabsf(values[2]), fabsf(values[3]))));
    const float inverse = largest > 0 ? kLargestCode<kFormat> / largest : 0;
    QuantizedHead head = {0, largest / kLargestCode<kFormat>};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        unsigned code;
        if constexpr (kFormat == CacheFormat::kFloat8)
            code = to_e4m3(values[i] * inverse);
        else
            code = static_cast<unsigned>(__float2int_rn(values[i] * inverse)) & 0xffu;
        head.codes |= code << (8 * i);
    }
    return head;
}

// 16-byte pieces of a head's 128 values.
template <CacheFormat kFormat>
inline constexpr int kPieces = kFormat == CacheFormat::kBfloat16 ? 16 : 8;

// Where piece of a row lies in shared memory, in pieces. Keys are read eight lanes at a time as 64 bytes of two rows, values as one
// piece of eight rows: two ways to spread rows over banks.
template <CacheFormat kFormat>
__device__ __forceinline__ int key_piece(int row, int piece) { return row * kPieces<kFormat> + (piece ^ ((row & 1) << 2)); }
template <CacheFormat kFormat>
__device__ __forceinline__ int value_piece(int row, int piece) { return row * kPieces<kFormat> + (piece ^ (row & 7)); }

// The 16 words that lane t multiplies with the keys it loads, made of one query row's bf16 values. The order of values in a
// product's sum is free: bf16 takes 8t...8t+7 of every 32, 8-bit formats 16t...16t+15 of every 64, pairs as widen makes them.
template <CacheFormat kFormat>
__device__ __forceinline__ void load_query(unsigned (&query)[16], const Bf16* row, int t) {
    const uint4* source = reinterpret_cast<const uint4*>(row);
    if constexpr (kFormat == CacheFormat::kBfloat16) {
#pragma unroll
        for (int part = 0; part < 4; part++) {
            uint4 words = source[part * 4 + t];
            query[part * 4] = words.x;
            query[part * 4 + 1] = words.y;
            query[part * 4 + 2] = words.z;
            query[part * 4 + 3] = words.w;
        }
    } else {
#pragma unroll
        for (int part = 0; part < 2; part++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                uint4 words = source[part * 8 + t * 2 + half];
                unsigned* target = query + part * 8 + half * 4;
                target[0] = pack_f16(low_to_float(words.x), low_to_float(words.y));
                target[1] = pack_f16(high_to_float(words.x), high_to_float(words.y));
                target[2] = pack_f16(low_to_float(words.z), low_to_float(words.w));
                target[3] = pack_f16(high_to_float(words.z), high_to_float(words.w));
            }
        }
    }
}

} // namespace ernie
