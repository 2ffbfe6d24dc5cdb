// Linear for 1 to 8 tokens: bound by reading the weights, so everything is arranged around that.
//   launch   blocks of Spec::kThreads, each taking tiles of 8 * Spec::kRowTiles outputs; grid = min(tiles, what fits at once)
//   input    kNorm: f32 [tokens, inputs] and a gain, normalised here by every block; else bf16 [tokens, inputs]
//   weights  see weights.cuh
// The warps of a block split the inputs in units of 128; a lane holds all of its first tile's weights in registers before it waits
// for the previous kernel, so with dependent launch the read starts while that kernel still runs.
// The tensor core takes tokens as rows (8 of 16 used) and outputs as columns; partial sums of the warps meet in shared memory and
// are added in the order of the warps, so results do not depend on timing.
#pragma once
#include "ernie/common/device.cuh"
#include "ernie/linear/epilogue.cuh"
#include "ernie/linear/weights.cuh"

namespace ernie {

struct LinearDecodeArgs {
    const uint4* weight;
    const float* scales;
    const void* input;
    const Bf16* gain;        // kNorm: [inputs]
    const int* input_rows;   // null, or [tokens] which row of input each token reads
    const int* token_count;  // on the device, so that one graph serves every count up to its bucket
    EpilogueArgs epilogue;
};

template <class Spec>
__device__ void linear_decode(const LinearDecodeArgs& args) {
    constexpr WeightFormat kFormat = Spec::kFormat;
    constexpr int kUnit = 128;
    constexpr int kWarps = Spec::kThreads / 32;
    constexpr int kUnits = Spec::kInputs / kUnit;
    constexpr int kUnitsPerWarp = kUnits / kWarps;
    constexpr int kLoadsPerUnit = kUnit / kInputsPerLoad<kFormat>;
    constexpr int kRowBytes = Spec::kInputs * kBitsPerWeight<kFormat> / 8;
    constexpr int kTiles = Spec::kOutputs / (8 * Spec::kRowTiles);
    constexpr int kTokens = 8;
    // Scales apply per unit where a group is 64 or 128 inputs, else once to the sum.
    constexpr bool kGrouped = Spec::kGroup == 64 || Spec::kGroup == 128;
    constexpr int kGroupsPerUnit = kGrouped ? kUnit / Spec::kGroup : 1;
    constexpr bool kScaled = kFormat != WeightFormat::kBfloat16;
    static_assert(Spec::kInputs % kUnit == 0 && kUnits % kWarps == 0, "warps share the inputs evenly, in units of 128");
    static_assert(Spec::kOutputs % (8 * Spec::kRowTiles) == 0, "whole tiles of outputs");
    static_assert(kWarps >= Spec::kRowTiles, "one thread per token and pair of outputs in the epilogue");
    static_assert(kGroupsPerUnit == 1 || kFormat == WeightFormat::kInt4, "groups of 64 are a format of int4");

    __shared__ float partial[2][kWarps][Spec::kRowTiles][kTokens * 8];
    __shared__ float squares[kWarps][kTokens];
    extern __shared__ uint4 activations[]; // kNorm: bf16 [tokens][inputs + 32]: the padding spreads rows over the banks

    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    uint4 loaded[Spec::kRowTiles][kUnitsPerWarp][kLoadsPerUnit];
    float2 factors[Spec::kRowTiles][kUnitsPerWarp][kGroupsPerUnit];

    auto load_tile = [&](int tile) {
#pragma unroll
        for (int r = 0; r < Spec::kRowTiles; r++) {
            int n = (tile * Spec::kRowTiles + r) * 8;
            const char* row = reinterpret_cast<const char*>(args.weight) + static_cast<size_t>(n + g) * kRowBytes;
#pragma unroll
            for (int u = 0; u < kUnitsPerWarp; u++) {
                int unit = u * kWarps + warp;
#pragma unroll
                for (int l = 0; l < kLoadsPerUnit; l++)
                    loaded[r][u][l] = load_streaming(reinterpret_cast<const uint4*>(row + (unit * kLoadsPerUnit + l) * 64) + t);
                if constexpr (kGrouped) {
#pragma unroll
                    for (int s = 0; s < kGroupsPerUnit; s++)
                        factors[r][u][s] = *reinterpret_cast<const float2*>(
                            args.scales + static_cast<size_t>(unit * kGroupsPerUnit + s) * Spec::kOutputs + n + 2 * t);
                }
            }
        }
    };

    load_tile(blockIdx.x);
    allow_next_kernel();
    wait_for_previous_kernel();
    const int token_count = *args.token_count;

    // This lane's share of the input, for token g: what the weights of lane t meet.
    uint4 input[kUnitsPerWarp][4];
    if constexpr (Spec::kNorm) {
        constexpr int kQuads = Spec::kInputs / 4 / Spec::kThreads;
        constexpr int kStride = Spec::kInputs / 4 + 8; // in uint2
        static_assert(Spec::kInputs % (4 * Spec::kThreads) == 0, "threads share a token's inputs evenly, four at a time");
        uint2* shared = reinterpret_cast<uint2*>(activations);
        float4 x[kTokens][kQuads];
#pragma unroll
        for (int token = 0; token < kTokens; token++) {
            if (token < token_count) {
                int row = args.input_rows ? args.input_rows[token] : token;
                const float4* source = static_cast<const float4*>(args.input) + static_cast<size_t>(row) * (Spec::kInputs / 4);
                float sum = 0;
#pragma unroll
                for (int q = 0; q < kQuads; q++) {
                    float4 v = source[q * Spec::kThreads + threadIdx.x];
                    x[token][q] = v;
                    sum += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
                }
                sum = warp_sum(sum);
                if (lane == 0) squares[warp][token] = sum;
            }
        }
        __syncthreads();
#pragma unroll
        for (int token = 0; token < kTokens; token++) {
            if (token < token_count) {
                float sum = 0;
#pragma unroll
                for (int w = 0; w < kWarps; w++) sum += squares[w][token];
                float factor = rsqrtf(sum / Spec::kInputs + Spec::kEpsilon);
#pragma unroll
                for (int q = 0; q < kQuads; q++) {
                    int quad = q * Spec::kThreads + threadIdx.x;
                    uint2 gain = reinterpret_cast<const uint2*>(args.gain)[quad];
                    float4 v = x[token][q];
                    shared[token * kStride + quad] = {
                        pack_bf16(v.x * factor * low_to_float(gain.x), v.y * factor * high_to_float(gain.x)),
                        pack_bf16(v.z * factor * low_to_float(gain.y), v.w * factor * high_to_float(gain.y))};
                }
            }
        }
        __syncthreads();
#pragma unroll
        for (int u = 0; u < kUnitsPerWarp; u++)
#pragma unroll
            for (int j = 0; j < 4; j++)
                input[u][j] = g < token_count
                    ? reinterpret_cast<const uint4*>(shared + g * kStride)[(u * kWarps + warp) * (kUnit / 8) + j * 4 + t]
                    : uint4{0, 0, 0, 0};
    } else {
        int row = g < token_count && args.input_rows ? args.input_rows[g] : g;
        const uint4* source = static_cast<const uint4*>(args.input) + static_cast<size_t>(row) * (Spec::kInputs / 8);
#pragma unroll
        for (int u = 0; u < kUnitsPerWarp; u++)
#pragma unroll
            for (int j = 0; j < 4; j++)
                input[u][j] = g < token_count ? source[(u * kWarps + warp) * (kUnit / 8) + j * 4 + t] : uint4{0, 0, 0, 0};
    }

    int buffer = 0;
    for (int tile = blockIdx.x; tile < kTiles; tile += gridDim.x) {
#pragma unroll
        for (int r = 0; r < Spec::kRowTiles; r++) {
            float2 total = {0, 0};
            float4 sum = {0, 0, 0, 0};
#pragma unroll
            for (int u = 0; u < kUnitsPerWarp; u++) {
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    Eight w = unpack<kFormat>(loaded[r][u][j * kLoadsPerUnit / 4], j % (4 / kLoadsPerUnit));
                    const uint4& a = input[u][j];
                    multiply_add(sum, a.x, 0, a.y, 0, w.pair[0], w.pair[1]);
                    multiply_add(sum, a.z, 0, a.w, 0, w.pair[2], w.pair[3]);
                    if constexpr (kGrouped) {
                        if ((j + 1) % (4 / kGroupsPerUnit) == 0) {
                            float2 factor = factors[r][u][(j + 1) / (4 / kGroupsPerUnit) - 1];
                            total.x += sum.x * factor.x;
                            total.y += sum.y * factor.y;
                            sum = {0, 0, 0, 0};
                        }
                    }
                }
            }
            if constexpr (!kGrouped) total = {sum.x, sum.y};
            *reinterpret_cast<float2*>(&partial[buffer][warp][r][g * 8 + 2 * t]) = total;
        }

        // The registers are free: ask for the next tile's weights before meeting the other warps.
        int next = tile + gridDim.x;
        if (next < kTiles) load_tile(next);
        __syncthreads();

        if (threadIdx.x < Spec::kRowTiles * 32) {
            int r = threadIdx.x / 32, token = lane / 4, column = 2 * (lane % 4);
            if (token < token_count) {
                float2 total = {0, 0};
#pragma unroll
                for (int w = 0; w < kWarps; w++) {
                    float2 part = *reinterpret_cast<const float2*>(&partial[buffer][w][r][token * 8 + column]);
                    total.x += part.x;
                    total.y += part.y;
                }
                int n = (tile * Spec::kRowTiles + r) * 8 + column;
                if constexpr (kScaled && !kGrouped) {
                    float2 factor = *reinterpret_cast<const float2*>(args.scales + n);
                    total.x *= factor.x;
                    total.y *= factor.y;
                }
                store_pair<Spec>(args.epilogue, token, n, total.x, total.y);
            }
        }
        buffer ^= 1; // the other half is free: whoever read it has passed the barrier above
    }
}

} // namespace ernie
