// Linear for more than 8 tokens: tiles of Spec::kTileTokens x Spec::kTileOutputs on the tensor cores.
//   launch   grid (outputs / kTileOutputs, tokens / kTileTokens rounded up); warps in kWarpsAlongTokens x kWarpsAlongOutputs
//   input    bf16 [tokens, inputs], normalised already
//   weights  see weights.cuh; they stay packed in shared memory and are unpacked where a warp feeds them to the tensor core
// A ring of kStages blocks of inputs is filled with asynchronous copies; rows of shared memory are 128 bytes of input.
#pragma once
#include "ernie/common/device.cuh"
#include "ernie/linear/epilogue.cuh"
#include "ernie/linear/tile.cuh"
#include "ernie/linear/weights.cuh"

namespace ernie {

struct LinearTileArgs {
    const uint4* weight;
    const float* scales;
    const Bf16* input;
    const int* token_count;
    EpilogueArgs epilogue;
};

template <class Spec>
struct LinearTileShape {
    static constexpr WeightFormat kFormat = Spec::kFormat;
    // Inputs per stage: what one 64-byte piece row of the packed weights covers, and at least one 128-byte row of bf16.
    static constexpr int kDepth = kInputsPerLoad<kFormat> < 64 ? 64 : kInputsPerLoad<kFormat>;
    static constexpr int kInputPieces = kDepth / 8;                                // 16-byte pieces of a token's row
    static constexpr int kWeightPieces = kDepth * kBitsPerWeight<kFormat> / 128;   // of an output's row
    static constexpr int kInputBytes = Spec::kTileTokens * kInputPieces * 16;
    static constexpr int kStageBytes = kInputBytes + Spec::kTileOutputs * kWeightPieces * 16;
};

template <class Spec>
__device__ void linear_tile(const LinearTileArgs& args) {
    using Shape = LinearTileShape<Spec>;
    constexpr WeightFormat kFormat = Spec::kFormat;
    constexpr int kWarpTokens = Spec::kTileTokens / Spec::kWarpsAlongTokens;
    constexpr int kWarpOutputs = Spec::kTileOutputs / Spec::kWarpsAlongOutputs;
    constexpr int kTokenTiles = kWarpTokens / 16;
    constexpr int kOutputTiles = kWarpOutputs / 8;
    constexpr int kBlocks = Spec::kInputs / Shape::kDepth;
    constexpr bool kGrouped = Spec::kGroup == 64 || Spec::kGroup == 128;
    constexpr bool kScaledAtEnd = kFormat != WeightFormat::kBfloat16 && !kGrouped;
    static_assert(Spec::kThreads == 32 * Spec::kWarpsAlongTokens * Spec::kWarpsAlongOutputs, "one warp per part of the tile");
    static_assert(Spec::kInputs % Shape::kDepth == 0 && Spec::kOutputs % Spec::kTileOutputs == 0, "whole tiles");
    static_assert(kTokenTiles > 0 && kOutputTiles > 0, "a warp has work");

    extern __shared__ uint4 stages[];
    const unsigned shared = shared_address(stages);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int warp_token = warp / Spec::kWarpsAlongOutputs * kWarpTokens;
    const int warp_output = warp % Spec::kWarpsAlongOutputs * kWarpOutputs;
    const int first_output = blockIdx.x * Spec::kTileOutputs, first_token = blockIdx.y * Spec::kTileTokens;

    auto copy_weights = [&](int block) {
        constexpr int kRowPieces = Spec::kInputs * kBitsPerWeight<kFormat> / 128;
        unsigned stage = shared + block % Spec::kStages * Shape::kStageBytes + Shape::kInputBytes;
#pragma unroll
        for (int i = threadIdx.x; i < Spec::kTileOutputs * Shape::kWeightPieces; i += Spec::kThreads) {
            int row = i / Shape::kWeightPieces, piece = i % Shape::kWeightPieces;
            copy_async(
                stage + swizzled<Shape::kWeightPieces>(row, piece) * 16,
                args.weight + static_cast<size_t>(first_output + row) * kRowPieces + block * Shape::kWeightPieces + piece, true);
        }
    };

    allow_next_kernel();
    if (kBlocks > 0) copy_weights(0); // needs nothing of the previous kernel
    wait_for_previous_kernel();
    const int token_count = *args.token_count;
    if (first_token >= token_count) {
        commit_copies();
        wait_copies<0>(); // shared memory may not be given back with a copy under way
        return;
    }

    auto copy_input = [&](int block) {
        unsigned stage = shared + block % Spec::kStages * Shape::kStageBytes;
#pragma unroll
        for (int i = threadIdx.x; i < Spec::kTileTokens * Shape::kInputPieces; i += Spec::kThreads) {
            int row = i / Shape::kInputPieces, piece = i % Shape::kInputPieces;
            int token = first_token + row;
            bool valid = token < token_count;
            copy_async(
                stage + swizzled<Shape::kInputPieces>(row, piece) * 16,
                args.input + static_cast<size_t>(valid ? token : 0) * Spec::kInputs + block * Shape::kDepth + piece * 8, valid);
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

    float4 sums[kTokenTiles][kOutputTiles] = {};
#pragma unroll 1
    for (int block = 0; block < kBlocks; block++) {
        wait_copies<Spec::kStages - 2>();
        __syncthreads();
        if (int ahead = block + Spec::kStages - 1; ahead < kBlocks) {
            copy_weights(ahead);
            copy_input(ahead);
        }
        commit_copies();

        unsigned input = shared + block % Spec::kStages * Shape::kStageBytes;
        unsigned weights = input + Shape::kInputBytes;
        constexpr int kParts = Shape::kDepth / 32;
        if constexpr (kParts == 4) {
            // int4: one load of a lane covers four parts, so the outputs are the outer loop and a register holds a load.
            uint4 packed[kOutputTiles];
#pragma unroll
            for (int o = 0; o < kOutputTiles; o++)
                packed[o] = load_shared(weights + swizzled<Shape::kWeightPieces>(warp_output + o * 8 + g, t) * 16);
#pragma unroll
            for (int part = 0; part < kParts; part++) {
                uint4 low[kTokenTiles], high[kTokenTiles];
#pragma unroll
                for (int i = 0; i < kTokenTiles; i++) {
                    int row = warp_token + i * 16 + g;
                    low[i] = load_shared(input + swizzled<Shape::kInputPieces>(row, part * 4 + t) * 16);
                    high[i] = load_shared(input + swizzled<Shape::kInputPieces>(row + 8, part * 4 + t) * 16);
                }
#pragma unroll
                for (int o = 0; o < kOutputTiles; o++) {
                    Eight w = unpack<kFormat>(packed[o], part);
                    if constexpr (kGrouped)
                        scale(w, args.scales[static_cast<size_t>((block * Shape::kDepth + part * 32) / Spec::kGroup) * Spec::kOutputs +
                                             first_output + warp_output + o * 8 + g]);
#pragma unroll
                    for (int i = 0; i < kTokenTiles; i++) {
                        multiply_add(sums[i][o], low[i].x, high[i].x, low[i].y, high[i].y, w.pair[0], w.pair[1]);
                        multiply_add(sums[i][o], low[i].z, high[i].z, low[i].w, high[i].w, w.pair[2], w.pair[3]);
                    }
                }
            }
        } else {
            constexpr int kPartsPerLoad = kInputsPerLoad<kFormat> / 32;
#pragma unroll
            for (int part = 0; part < kParts; part++) {
                uint4 low[kTokenTiles], high[kTokenTiles];
#pragma unroll
                for (int i = 0; i < kTokenTiles; i++) {
                    int row = warp_token + i * 16 + g;
                    low[i] = load_shared(input + swizzled<Shape::kInputPieces>(row, part * 4 + t) * 16);
                    high[i] = load_shared(input + swizzled<Shape::kInputPieces>(row + 8, part * 4 + t) * 16);
                }
#pragma unroll
                for (int o = 0; o < kOutputTiles; o++) {
                    uint4 packed = load_shared(
                        weights + swizzled<Shape::kWeightPieces>(warp_output + o * 8 + g, part / kPartsPerLoad * 4 + t) * 16);
                    Eight w = unpack<kFormat>(packed, part % kPartsPerLoad);
                    if constexpr (kGrouped)
                        scale(w, args.scales[static_cast<size_t>((block * Shape::kDepth + part * 32) / Spec::kGroup) * Spec::kOutputs +
                                             first_output + warp_output + o * 8 + g]);
#pragma unroll
                    for (int i = 0; i < kTokenTiles; i++) {
                        multiply_add(sums[i][o], low[i].x, high[i].x, low[i].y, high[i].y, w.pair[0], w.pair[1]);
                        multiply_add(sums[i][o], low[i].z, high[i].z, low[i].w, high[i].w, w.pair[2], w.pair[3]);
                    }
                }
            }
        }
    }

#pragma unroll
    for (int o = 0; o < kOutputTiles; o++) {
        int n = first_output + warp_output + o * 8 + 2 * t;
        float2 factor = {1, 1};
        if constexpr (kScaledAtEnd) factor = *reinterpret_cast<const float2*>(args.scales + n);
#pragma unroll
        for (int i = 0; i < kTokenTiles; i++) {
            int token = first_token + warp_token + i * 16 + g;
            const float4& sum = sums[i][o];
            if (token < token_count) store_pair<Spec>(args.epilogue, token, n, sum.x * factor.x, sum.y * factor.y);
            if (token + 8 < token_count) store_pair<Spec>(args.epilogue, token + 8, n, sum.z * factor.x, sum.w * factor.y);
        }
    }
}

} // namespace ernie
