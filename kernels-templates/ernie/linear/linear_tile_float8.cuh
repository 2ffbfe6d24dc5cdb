// Linear of e4m3 weights by e4m3 activations for more than 8 tokens, on the tensor cores of compute capability 8.9 and later.
//   launch   grid (outputs / kTileOutputs, tokens / kTileTokens rounded up); warps in kWarpsAlongTokens x kWarpsAlongOutputs
//   input    quantised rows, see float8.cuh
//   weights  e4m3 in the order of weights.cuh, which is that of the rows: what lane t loads of either is what it multiplies
// A ring of kStages blocks of 128 inputs is filled with asynchronous copies, as in linear_tile. Sums of 128 inputs go to totals times the
// factors of token and weight block.
#pragma once
#include "ernie/common/float8.cuh"
#include "ernie/linear/epilogue.cuh"
#include "ernie/linear/tile.cuh"

namespace ernie {

struct LinearTileFloat8Args {
    const uint4* weight;
    const float* scales; // [inputs / 128, outputs]
    QuantizedRows input;
    const int* token_count;
    EpilogueArgs epilogue;
};

template <class Spec>
__device__ void linear_tile_float8(const LinearTileFloat8Args& args) {
    constexpr int kDepth = 128;
    constexpr int kPieces = kDepth / 16; // of a row in a stage
    constexpr int kRowPieces = Spec::kInputs / 16;
    constexpr int kInputBytes = Spec::kTileTokens * kDepth;
    constexpr int kStageBytes = kInputBytes + Spec::kTileOutputs * kDepth;
    constexpr int kWarpTokens = Spec::kTileTokens / Spec::kWarpsAlongTokens, kWarpOutputs = Spec::kTileOutputs / Spec::kWarpsAlongOutputs;
    constexpr int kTokenTiles = kWarpTokens / 16, kOutputTiles = kWarpOutputs / 8;
    constexpr int kBlocks = Spec::kInputs / kDepth;
    static_assert(Spec::kThreads == 32 * Spec::kWarpsAlongTokens * Spec::kWarpsAlongOutputs, "one warp per part of the tile");
    static_assert(Spec::kInputs % kDepth == 0 && Spec::kOutputs % Spec::kTileOutputs == 0, "whole tiles");
    static_assert(128 % Spec::kTileOutputs == 0, "outputs of a tile share a block's scale, or two in turn for gate and up");
    static_assert(kTokenTiles > 0 && kOutputTiles > 0, "a warp has work");

    extern __shared__ uint4 stages[];
    const unsigned shared = shared_address(stages);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int warp_token = warp / Spec::kWarpsAlongOutputs * kWarpTokens;
    const int warp_output = warp % Spec::kWarpsAlongOutputs * kWarpOutputs;
    const int first_output = blockIdx.x * Spec::kTileOutputs, first_token = blockIdx.y * Spec::kTileTokens;

    auto copy_weights = [&](int block) {
        const unsigned stage = shared + block % Spec::kStages * kStageBytes + kInputBytes;
#pragma unroll
        for (int i = threadIdx.x; i < Spec::kTileOutputs * kPieces; i += Spec::kThreads)
            copy_async(stage + swizzled<kPieces>(i / kPieces, i % kPieces) * 16,
                       args.weight + static_cast<size_t>(first_output + i / kPieces) * kRowPieces + block * kPieces + i % kPieces, true);
    };
    allow_next_kernel();
    copy_weights(0); // needs nothing of the previous kernel
    wait_for_previous_kernel();
    const int token_count = *args.token_count;
    if (first_token >= token_count) {
        commit_copies();
        wait_copies<0>(); // shared memory may not be given back with a copy under way
        return;
    }

    auto copy_input = [&](int block) {
        const unsigned stage = shared + block % Spec::kStages * kStageBytes;
#pragma unroll
        for (int i = threadIdx.x; i < Spec::kTileTokens * kPieces; i += Spec::kThreads) {
            const int token = first_token + i / kPieces;
            const bool valid = token < token_count;
            copy_async(stage + swizzled<kPieces>(i / kPieces, i % kPieces) * 16,
                       reinterpret_cast<const uint4*>(args.input.codes) + static_cast<size_t>(valid ? token : 0) * kRowPieces + block * kPieces +
                           i % kPieces,
                       valid);
        }
    };
#pragma unroll
    for (int block = 0; block < Spec::kStages - 1; block++) {
        if (block < kBlocks) {
            if (block > 0) copy_weights(block);
            copy_input(block);
        }
        commit_copies();
    }

    float4 totals[kTokenTiles][kOutputTiles] = {};
#pragma unroll 1
    for (int block = 0; block < kBlocks; block++) {
        const float2 scale = *reinterpret_cast<const float2*>(args.scales + static_cast<size_t>(block) * Spec::kOutputs + first_output);
        float2 factors[kTokenTiles]; // of rows g and g + 8; up to the stride there is memory
#pragma unroll
        for (int i = 0; i < kTokenTiles; i++) {
            const float* source = args.input.factors + static_cast<size_t>(block) * args.input.stride + first_token + warp_token + i * 16 + g;
            factors[i] = {source[0], source[8]};
        }
        wait_copies<Spec::kStages - 2>();
        __syncthreads();
        if (int ahead = block + Spec::kStages - 1; ahead < kBlocks) {
            copy_weights(ahead);
            copy_input(ahead);
        }
        commit_copies();

        const unsigned input = shared + block % Spec::kStages * kStageBytes, weights = input + kInputBytes;
        float4 sums[kTokenTiles][kOutputTiles] = {};
#pragma unroll
        for (int half = 0; half < 2; half++) { // 64 inputs: one load of a lane
            uint4 packed[kOutputTiles];
#pragma unroll
            for (int o = 0; o < kOutputTiles; o++)
                packed[o] = load_shared(weights + swizzled<kPieces>(warp_output + o * 8 + g, half * 4 + t) * 16);
#pragma unroll
            for (int i = 0; i < kTokenTiles; i++) {
                const int row = warp_token + i * 16 + g;
                const uint4 low = load_shared(input + swizzled<kPieces>(row, half * 4 + t) * 16);
                const uint4 high = load_shared(input + swizzled<kPieces>(row + 8, half * 4 + t) * 16);
#pragma unroll
                for (int o = 0; o < kOutputTiles; o++) {
                    multiply_add_float8(sums[i][o], low.x, high.x, low.y, high.y, packed[o].x, packed[o].y);
                    multiply_add_float8(sums[i][o], low.z, high.z, low.w, high.w, packed[o].z, packed[o].w);
                }
            }
        }
#pragma unroll
        for (int i = 0; i < kTokenTiles; i++)
#pragma unroll
            for (int o = 0; o < kOutputTiles; o++) {
                totals[i][o].x += sums[i][o].x * (factors[i].x * scale.x);
                totals[i][o].y += sums[i][o].y * (factors[i].x * scale.y);
                totals[i][o].z += sums[i][o].z * (factors[i].y * scale.x);
                totals[i][o].w += sums[i][o].w * (factors[i].y * scale.y);
            }
    }

#pragma unroll
    for (int o = 0; o < kOutputTiles; o++) {
        const int n = first_output + warp_output + o * 8 + 2 * t;
#pragma unroll
        for (int i = 0; i < kTokenTiles; i++) {
            const int token = first_token + warp_token + i * 16 + g;
            const float4& sum = totals[i][o];
            if (token < token_count) store_pair<Spec>(args.epilogue, token, n, sum.x, sum.y);
            if (token + 8 < token_count) store_pair<Spec>(args.epilogue, token + 8, n, sum.z, sum.w);
        }
    }
}

} // namespace ernie
