// Merging of decode attention's results over parts of a row's keys: 16 threads a head, always in the same order.
#pragma once
#include "ernie/attention/common.cuh"

namespace ernie {

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

} // namespace ernie
