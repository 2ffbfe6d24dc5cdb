// Linear for 1 to 8 tokens: bound by reading the weights, so everything is arranged around that.
//   launch   blocks of Spec::kThreads, each taking tiles of 8 * Spec::kRowTiles outputs; grid = min(tiles, what fits at once)
//   input    kNorm: f32 [tokens, inputs] and a gain: the inputs are multiplied by the gain, the sums by the root mean square's
//            inverse, which every block finds on the way; else bf16 [tokens, inputs]
//   weights  see weights.cuh
// The warps of a block split the inputs in units of 128; a lane holds all of its first tile's weights in registers before it waits
// for the previous kernel, so with dependent launch the read starts while that kernel still runs. After the wait there is one
// round of loads and one barrier.
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
    int token_capacity;      // the bucket: rows of input that may be read, at most 8
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
    __shared__ float squares[kWarps][kTokens]; // kNorm

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
    uint4 gain[kUnitsPerWarp][4];
    if constexpr (Spec::kNorm) {
#pragma unroll
        for (int u = 0; u < kUnitsPerWarp; u++)
#pragma unroll
            for (int j = 0; j < 4; j++)
                gain[u][j] = reinterpret_cast<const uint4*>(args.gain)[(u * kWarps + warp) * (kUnit / 8) + j * 4 + t];
    }
    allow_next_kernel();
    wait_for_previous_kernel();
    const int token_count = *args.token_count; // inputs are read up to the bucket, so that the two loads do not queue

    // This lane's share of the input, for token g: what the weights of lane t meet.
    uint4 input[kUnitsPerWarp][4];
    const int row = args.input_rows && g < token_count ? args.input_rows[g] : g;
    float square = 0;
#pragma unroll
    for (int u = 0; u < kUnitsPerWarp; u++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
            size_t eight = static_cast<size_t>(row) * (Spec::kInputs / 8) + (u * kWarps + warp) * (kUnit / 8) + j * 4 + t;
            input[u][j] = {0, 0, 0, 0};
            if (g >= args.token_capacity) continue;
            if constexpr (Spec::kNorm) {
                const float4* source = static_cast<const float4*>(args.input) + 2 * eight;
                float4 a = source[0], b = source[1];
                uint4 f = gain[u][j];
                square += a.x * a.x + a.y * a.y + a.z * a.z + a.w * a.w + b.x * b.x + b.y * b.y + b.z * b.z + b.w * b.w;
                input[u][j] = {pack_bf16(a.x * low_to_float(f.x), a.y * high_to_float(f.x)), pack_bf16(a.z * low_to_float(f.y), a.w * high_to_float(f.y)),
                               pack_bf16(b.x * low_to_float(f.z), b.y * high_to_float(f.z)), pack_bf16(b.z * low_to_float(f.w), b.w * high_to_float(f.w))};
            } else {
                input[u][j] = static_cast<const uint4*>(args.input)[eight];
            }
        }
    }
    if constexpr (Spec::kNorm) {
        square += __shfl_xor_sync(kFullWarp, square, 1);
        square += __shfl_xor_sync(kFullWarp, square, 2);
        if (t == 0) squares[warp][g] = square;
    }

    // Threads of the first warps finish a tile: one token and pair of outputs each.
    const bool finishes = threadIdx.x < Spec::kRowTiles * 32 && g < token_count;
    float factor_of_token = 0;
    int buffer = 0;
    for (int tile = blockIdx.x; tile < kTiles; tile += gridDim.x) {
        const int n = (tile * Spec::kRowTiles + warp) * 8 + 2 * t;
        PairTarget target = {};
        float2 factor_of_output = {1, 1};
        if (finishes) {
            target = pair_target<Spec>(args.epilogue, g, n);
            if constexpr (kScaled && !kGrouped) factor_of_output = *reinterpret_cast<const float2*>(args.scales + n);
        }
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

        if (finishes) {
            if constexpr (Spec::kNorm) {
                if (tile == blockIdx.x) {
                    float sum = 0;
#pragma unroll
                    for (int w = 0; w < kWarps; w++) sum += squares[w][g];
                    factor_of_token = rsqrtf(sum / Spec::kInputs + Spec::kEpsilon);
                }
                factor_of_output = {factor_of_output.x * factor_of_token, factor_of_output.y * factor_of_token};
            }
            float2 total = {0, 0};
#pragma unroll
            for (int w = 0; w < kWarps; w++) {
                float2 part = *reinterpret_cast<const float2*>(&partial[buffer][w][warp][g * 8 + 2 * t]);
                total.x += part.x;
                total.y += part.y;
            }
            store_pair<Spec>(target, total.x * factor_of_output.x, total.y * factor_of_output.y);
        }
        buffer ^= 1; // the other half is free: whoever read it has passed the barrier above
    }
}

} // namespace ernie
