// Weight formats. A weight is [outputs, inputs], row-major; inside a row the order is chosen so that lane t of four gets with one
// load the elements that it feeds to the tensor core: of each 32 inputs, lane t multiplies inputs 8t .. 8t + 7.
//   bf16      natural order; 32 inputs per 16-byte load
//   int8, fp8 of 64 inputs, piece t (16 bytes) holds 32j + 8t + 0..7 for j = 0, 1; bytes 1 and 2 of a word are swapped
//   int4      of 128 inputs, piece t (16 bytes) holds 32j + 8t + 0..7 in word j; nibble i of a word is element 2i, nibble i + 4 is 2i + 1;
//             stored with 8 added
// Ernie.Kernels' WeightPacking writes this order; a test compares the two bit by bit. Scales are f32 [inputs / group, outputs].
#pragma once
#include "ernie/common/device.cuh"

namespace ernie {

enum class WeightFormat { kBfloat16, kInt8, kInt4, kFloat8 };

template <WeightFormat kFormat>
inline constexpr int kBitsPerWeight = kFormat == WeightFormat::kBfloat16 ? 16 : kFormat == WeightFormat::kInt4 ? 4 : 8;

// Inputs that the 16-byte loads of four neighbouring lanes cover.
template <WeightFormat kFormat>
inline constexpr int kInputsPerLoad = 512 / kBitsPerWeight<kFormat>;

// Eight weights, two per register, in input order.
struct Eight {
    unsigned pair[4];
};

// |128 + q| has a spacing of 1 in bf16, so the low bits of the mantissa are the integer; the subtraction is exact.
__device__ __forceinline__ Eight unpack_int4(unsigned word) {
    Eight result;
#pragma unroll
    for (int i = 0; i < 4; i++) result.pair[i] = fma_bf16x2((word >> (4 * i) & 0x000f000fu) | 0x43004300u, kBf16One, 0xc308c308u);
    return result;
}

// low 7 bits + 128, minus 128, or minus 256 where the sign bit is set.
__device__ __forceinline__ unsigned unpack_int8_pair(unsigned bytes) {
    return fma_bf16x2((bytes & 0x007f007fu) | 0x43004300u, kBf16One, (bytes & 0x00800080u) | 0xc300c300u);
}

__device__ __forceinline__ Eight unpack_int8(unsigned first, unsigned second) {
    return {unpack_int8_pair(first), unpack_int8_pair(first >> 8), unpack_int8_pair(second), unpack_int8_pair(second >> 8)};
}

// Exponent and mantissa of e4m3 moved into place, then times 2^120 for the difference of the exponents' biases.
__device__ __forceinline__ unsigned unpack_float8_pair(unsigned bytes) {
    return fma_bf16x2((bytes & 0x007f007fu) << 4 | (bytes & 0x00800080u) << 8, 0x7b807b80u, kBf16MinusZero);
}

__device__ __forceinline__ Eight unpack_float8(unsigned first, unsigned second) {
    return {unpack_float8_pair(first), unpack_float8_pair(first >> 8), unpack_float8_pair(second), unpack_float8_pair(second >> 8)};
}

// Sub-block j (32 inputs) of what one lane loaded.
template <WeightFormat kFormat>
__device__ __forceinline__ Eight unpack(const uint4& loaded, int j) {
    if constexpr (kFormat == WeightFormat::kBfloat16) {
        return {loaded.x, loaded.y, loaded.z, loaded.w};
    } else if constexpr (kFormat == WeightFormat::kInt4) {
        return unpack_int4(j == 0 ? loaded.x : j == 1 ? loaded.y : j == 2 ? loaded.z : loaded.w);
    } else {
        unsigned first = j == 0 ? loaded.x : loaded.z;
        unsigned second = j == 0 ? loaded.y : loaded.w;
        if constexpr (kFormat == WeightFormat::kInt8) return unpack_int8(first, second);
        else return unpack_float8(first, second);
    }
}

__device__ __forceinline__ void scale(Eight& values, float factor) {
#pragma unroll
    for (int i = 0; i < 4; i++)
        values.pair[i] = pack_bf16(low_to_float(values.pair[i]) * factor, high_to_float(values.pair[i]) * factor);
}

} // namespace ernie
