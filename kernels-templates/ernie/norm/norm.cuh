// RMSNorm of rows, for the paths whose matrix kernel does not do it itself, and for hidden states that a caller asked for.
//   launch   one block of Spec::kThreads per row; variance in f32
#pragma once
#include "ernie/common/float8.cuh"

namespace ernie {

struct NormArgs {
    const float* input;    // [rows, width]
    const Bf16* gain;      // [width]
    const int* rows;       // null, or [row] which row of input
    const int* row_count;
    Bf16* output;          // [rows, width], or null
    float* output_float;   // [rows, width], or null
    QuantizedRows quantized; // kQuantizes: instead of output
};

template <class Spec>
__device__ void normalize(const NormArgs& args) {
    constexpr int kQuads = Spec::kWidth / 4 / Spec::kThreads;
    static_assert(Spec::kWidth % (4 * Spec::kThreads) == 0, "threads share a row evenly, four at a time");
    __shared__ float squares[Spec::kThreads / 32];
    allow_next_kernel();
    wait_for_previous_kernel();
    const int row = blockIdx.x;
    if (row >= *args.row_count) return;

    const float4* source = reinterpret_cast<const float4*>(args.input) + static_cast<size_t>(args.rows ? args.rows[row] : row) * (Spec::kWidth / 4);
    float4 x[kQuads];
    float sum = 0;
#pragma unroll
    for (int q = 0; q < kQuads; q++) {
        x[q] = source[q * Spec::kThreads + threadIdx.x];
        sum += x[q].x * x[q].x + x[q].y * x[q].y + x[q].z * x[q].z + x[q].w * x[q].w;
    }
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0) squares[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = 0;
#pragma unroll
    for (int w = 0; w < Spec::kThreads / 32; w++) sum += squares[w];
    float factor = rsqrtf(sum / Spec::kWidth + Spec::kEpsilon);
#pragma unroll
    for (int q = 0; q < kQuads; q++) {
        int quad = q * Spec::kThreads + threadIdx.x;
        uint2 gain = reinterpret_cast<const uint2*>(args.gain)[quad];
        float4 y = {x[q].x * factor * low_to_float(gain.x), x[q].y * factor * high_to_float(gain.x),
                    x[q].z * factor * low_to_float(gain.y), x[q].w * factor * high_to_float(gain.y)};
        size_t target = static_cast<size_t>(row) * (Spec::kWidth / 4) + quad;
        if constexpr (Spec::kQuantizes) store_codes_of_quads(args.quantized, row, Spec::kWidth, quad / 32, y);
        if (args.output) reinterpret_cast<uint2*>(args.output)[target] = {pack_bf16(y.x, y.y), pack_bf16(y.z, y.w)};
        if (args.output_float) reinterpret_cast<float4*>(args.output_float)[target] = y;
    }
}

} // namespace ernie
