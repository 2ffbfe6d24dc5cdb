// 16-bit floats without the toolkit's headers: NVRTC ships none. Two bf16 values travel in one 32-bit register, the first in the low half.
#pragma once

namespace ernie {

struct Bf16 {
    unsigned short bits;
};

__device__ __forceinline__ float to_float(Bf16 value) { return __uint_as_float(static_cast<unsigned>(value.bits) << 16); }
__device__ __forceinline__ float low_to_float(unsigned pair) { return __uint_as_float(pair << 16); }
__device__ __forceinline__ float high_to_float(unsigned pair) { return __uint_as_float(pair & 0xffff0000u); }

// Rounds to nearest even.
__device__ __forceinline__ unsigned pack_bf16(float low, float high) {
    unsigned pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

__device__ __forceinline__ unsigned fma_bf16x2(unsigned a, unsigned b, unsigned c) {
    unsigned result;
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
    return result;
}

inline constexpr unsigned kBf16One = 0x3f803f80u;
inline constexpr unsigned kBf16MinusZero = 0x80008000u;

// e4m3: the value itself when it is at most 448, else the largest finite one.
__device__ __forceinline__ unsigned char to_e4m3(float value) {
    unsigned sign = __float_as_uint(value) >> 24 & 0x80u;
    float magnitude = fminf(fabsf(value), 448.0f);
    // Below 2^-6 the spacing is 2^-9; adding 1.5 * 2^14 rounds to it, half to even.
    if (magnitude < 0.015625f) {
        unsigned steps = __float_as_uint(magnitude + 24576.0f) & 0xffu;
        return static_cast<unsigned char>(sign | steps);
    }
    unsigned bits = __float_as_uint(magnitude);
    bits += 0x7ffffu + (bits >> 20 & 1u);
    return static_cast<unsigned char>(sign | ((bits >> 20) - (120u << 3)));
}

__device__ __forceinline__ float from_e4m3(unsigned char code) {
    // The exponent's bias is 7 there and 127 here; multiplying by 2^120 moves it and makes the subnormals right.
    unsigned bits = (static_cast<unsigned>(code) & 0x7fu) << 20 | (static_cast<unsigned>(code) & 0x80u) << 24;
    return __uint_as_float(bits) * 0x1p120f;
}

} // namespace ernie
