// Numbers that order and add up alike whatever the order of threads and blocks.
#pragma once
#include "ernie/common/device.cuh"

namespace ernie {

// Sums are integers, so that they do not depend on the order of the threads or on the number of blocks.
using Mass = unsigned long long;

struct Sum {
    static __device__ Mass apply(Mass a, Mass b) { return a + b; }
};

struct Maximum {
    static __device__ Mass apply(Mass a, Mass b) { return a > b ? a : b; }

    // Of a warp's values; the halves one after the other, because there is an instruction for 32 bits.
    static __device__ Mass of_warp(Mass value) {
        const unsigned high = static_cast<unsigned>(value >> 32), most = warp_maximum(high);
        return static_cast<Mass>(most) << 32 | warp_maximum(high == most ? static_cast<unsigned>(value) : 0);
    }
};

// Orders as the float does.
__device__ __forceinline__ unsigned sortable(float value) {
    unsigned bits = __float_as_uint(value);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

__device__ __forceinline__ float from_sortable(unsigned bits) {
    return __uint_as_float(bits & 0x80000000u ? bits & 0x7fffffffu : ~bits);
}

} // namespace ernie
