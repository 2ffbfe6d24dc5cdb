// Linear for more than 8 tokens on compute capability 9.0: warpgroup products fed by tensor copies.
//   launch   grid (outputs / kTileOutputs * kSplit, tokens / kTileTokens rounded up), clusters of kSplit; per 64 outputs of a tile
//            one warpgroup that multiplies, and kHelpers warps of which the first copies; four of them help with the outputs
//   weights  bf16 [outputs, inputs], rows as they are
//   input    bf16 [tokens, inputs]; kNormalizes: residual times gain, of which the sums are divided by the root mean square
// Weights are the rows of A, tokens the columns of B, so that few tokens waste nothing. The blocks of a cluster split the inputs;
// each then adds its share of the tile's tokens in the order of the blocks, so results do not depend on timing.
// Weights need nothing of the previous kernel: the ring is filled with them before the wait.
// Norms cost no launch: who writes the residual also writes it times the next norm's gain in bf16, and the sum of squares of every
// 64 values of a token (kPreparesNorm); who reads that scales its sums.
#pragma once
#include "ernie/common/hopper.cuh"
#include "ernie/linear/epilogue.cuh"

namespace ernie {

struct LinearWgmmaArgs {
    TensorMap weight;        // boxes of 64 outputs x 64 inputs
    TensorMap input;         // boxes of kTileTokens x 64 inputs
    const float* scales;     // kScaled: [outputs]
    const int* token_count;  // on the device, so that one graph serves every count up to its bucket
    const float* squares;    // kNormalizes: [inputs / 64, square_stride] sums of squares of the residual
    const Bf16* gain;        // kPreparesNorm: [outputs] of the next norm, or null behind the last layer
    Bf16* prepared;          // kPreparesNorm: [tokens, outputs] residual times gain
    float* new_squares;      // kPreparesNorm: [outputs / 64, square_stride]
    int square_stride;       // most tokens of a step
    EpilogueArgs epilogue;
};

template <class Spec>
__device__ void linear_wgmma(const LinearWgmmaArgs& args) {
    constexpr int kDepth = 64; // inputs of a stage: 128 bytes, the width of the swizzle
    constexpr int kBlocks = Spec::kInputs / kDepth / Spec::kSplit;
    constexpr int kRing = Spec::kStages < kBlocks ? Spec::kStages : kBlocks;
    constexpr int kGroups = Spec::kTileOutputs / 64;
    constexpr int kWarps = 4 * kGroups;
    constexpr int kOutputWarps = Spec::kHelpers == 4 ? kWarps + 4 : kWarps;
    constexpr int kBoxBytes = 64 * kDepth * 2;
    constexpr int kWeightBytes = kGroups * kBoxBytes;
    constexpr int kStageBytes = kWeightBytes + Spec::kTileTokens * kDepth * 2;
    constexpr int kColumns = Spec::kTileTokens < 128 ? Spec::kTileTokens : 128;
    constexpr int kParts = Spec::kTileTokens / kColumns;
    constexpr int kSumStride = Spec::kTileOutputs + 4; // floats; a warp's store then touches every bank once
    static_assert(Spec::kThreads == 32 * (kWarps + Spec::kHelpers), "warps that multiply, and those that copy and help");
    static_assert(Spec::kInputs % (kDepth * Spec::kSplit) == 0 && Spec::kOutputs % Spec::kTileOutputs == 0, "whole tiles");
    static_assert(Spec::kTileTokens % kColumns == 0 && Spec::kTileTokens % Spec::kSplit == 0, "blocks share a tile's tokens evenly");

    __shared__ alignas(8) unsigned long long filled_barriers[kRing], emptied_barriers[kRing];
    // Tokens of more than one batch: found once, while the product runs.
    constexpr bool kSharesPlaces =
        Spec::kEpilogue == Epilogue::kQkv && (Spec::kTileTokens / Spec::kSplit + kOutputWarps - 1) / kOutputWarps * kGroups > 8;
    __shared__ CachePlace places[kSharesPlaces ? Spec::kTileTokens : 1];
    __shared__ float norm_factors[Spec::kNormalizes ? Spec::kTileTokens : 1];
    extern __shared__ uint4 memory[];
    const unsigned ring = (shared_address(memory) + 1023u) & ~1023u; // the swizzle counts from multiples of 1,024
    const unsigned filled = shared_address(filled_barriers), emptied = shared_address(emptied_barriers);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int rank = Spec::kSplit == 1 ? 0 : blockIdx.x % Spec::kSplit;
    const int first_output = blockIdx.x / Spec::kSplit * Spec::kTileOutputs, first_token = blockIdx.y * Spec::kTileTokens;
    const int first_input = rank * kBlocks * kDepth;
    const bool copies = warp == kWarps && lane == 0;

    unsigned long long weight_policy = 0, input_policy = 0;
    auto copy_weights = [&](int block) {
        unsigned barrier = filled + block % kRing * 8;
        arrive_expecting(barrier, kStageBytes);
#pragma unroll
        for (int group = 0; group < kGroups; group++)
            copy_box(ring + block % kRing * kStageBytes + group * kBoxBytes, args.weight, first_input + block * kDepth,
                     first_output + group * 64, barrier, weight_policy);
    };
    auto copy_input = [&](int block) {
        copy_box(ring + block % kRing * kStageBytes + kWeightBytes, args.input, first_input + block * kDepth, first_token,
                 filled + block % kRing * 8, input_policy);
    };

    if (copies) {
        for (int stage = 0; stage < kRing; stage++) {
            initialize_barrier(filled + stage * 8, 1);
            initialize_barrier(emptied + stage * 8, kWarps);
        }
        publish_barriers();
        weight_policy = Spec::kKeepsWeights ? evict_last_policy() : evict_first_policy();
        input_policy = evict_last_policy();
        for (int block = 0; block < kRing; block++) copy_weights(block);
        prefetch_map(args.input);
    }
    __syncthreads();
    allow_next_kernel();
    wait_for_previous_kernel();
    const int token_count = *args.token_count;

    if (copies) {
        for (int block = 0; block < kRing; block++) copy_input(block);
        for (int block = kRing; block < kBlocks; block++) {
            wait_barrier(emptied + block % kRing * 8, (block / kRing - 1) & 1);
            copy_weights(block);
            copy_input(block);
        }
    }
    // A warp stores whole tokens, a lane neighbouring outputs. What that reads is asked for before the product where registers hold
    // it, else in batches. Tokens that are not there are computed as copies of the last one and not stored: no branch parts the loads.
    constexpr int kTokens = Spec::kTileTokens / Spec::kSplit;
    constexpr int kTokensOfWarp = (kTokens + kOutputWarps - 1) / kOutputWarps;
    constexpr int kMostPairs = 8;
    constexpr bool kOneBatch = kTokensOfWarp * kGroups <= kMostPairs;
    constexpr int kBatch = kOneBatch ? kTokensOfWarp : kMostPairs / kGroups;
    PairTarget targets[kBatch][kGroups];
    auto index_of = [&](int first, int i) { return min(first + i * kOutputWarps, kTokens - 1) * Spec::kSplit + rank; };
    auto find_targets = [&](int first) {
#pragma unroll
        for (int i = 0; i < kBatch; i++)
#pragma unroll
            for (int group = 0; group < kGroups; group++) {
                int token = min(first_token + index_of(first, i), token_count - 1), n = first_output + group * 64 + 2 * lane;
                if constexpr (kSharesPlaces) targets[i][group] = pair_target<Spec>(args.epilogue, token, n, places[index_of(first, i)]);
                else targets[i][group] = pair_target<Spec>(args.epilogue, token, n);
            }
    };
    if constexpr (kOneBatch)
        if (warp < kOutputWarps) find_targets(warp);
    float2 factors[kGroups], gains[kGroups];
#pragma unroll
    for (int group = 0; group < kGroups; group++) {
        int n = first_output + group * 64 + 2 * lane;
        factors[group] = Spec::kScaled ? *reinterpret_cast<const float2*>(args.scales + n) : float2{1, 1};
        unsigned gain = Spec::kPreparesNorm && args.gain ? *reinterpret_cast<const unsigned*>(args.gain + n) : 0;
        gains[group] = {low_to_float(gain), high_to_float(gain)};
    }

    float sums[kParts][kColumns / 2] = {};
    if (warp < kWarps) {
        if constexpr (Spec::kNormalizes) {
            constexpr int kSquares = Spec::kInputs / 64;
#pragma unroll 1
            for (int i = threadIdx.x; i < Spec::kTileTokens; i += 32 * kWarps) {
                const float* squares = args.squares + min(first_token + i, token_count - 1);
                float sum = 0;
#pragma unroll
                for (int part = 0; part < kSquares; part++) sum += squares[static_cast<size_t>(part) * args.square_stride];
                norm_factors[i] = rsqrtf(sum / Spec::kInputs + Spec::kEpsilon);
            }
        }
        if constexpr (kSharesPlaces)
            for (int i = threadIdx.x; i < Spec::kTileTokens; i += 32 * kWarps)
                places[i] = cache_place<Spec>(args.epilogue, min(first_token + i, token_count - 1), true);
#pragma unroll 1
        for (int block = 0; block < kBlocks; block++) {
            unsigned stage = ring + block % kRing * kStageBytes;
            wait_barrier(filled + block % kRing * 8, block / kRing & 1);
            unsigned long long a = matrix_descriptor(stage + warp / 4 * kBoxBytes), b = matrix_descriptor(stage + kWeightBytes);
            begin_products();
#pragma unroll
            for (int k = 0; k < kDepth / 16; k++)
#pragma unroll
                for (int part = 0; part < kParts; part++)
                    multiply_add_async(sums[part], a + 2 * k, b + part * (kColumns * kDepth * 2 / 16) + 2 * k);
            commit_products();
            if constexpr (kBlocks > kRing) {
                wait_products<1>();
                if (block > 0 && lane == 0) arrive(emptied + (block - 1) % kRing * 8);
            }
        }
        wait_products<0>();
#pragma unroll
        for (int part = 0; part < kParts; part++) settle(sums[part]);
    }
    // The sums take the place of the ring, once all warps have done with it. A barrier of these warps alone would do, but racecheck does
    // not follow it; the others have nothing better to do.
    __syncwarp(); // the thread that copied comes later than its neighbours
    __syncthreads();
    if (warp < kWarps) {
        const int g = lane / 4, t = lane % 4;
        float* tile = reinterpret_cast<float*>(reinterpret_cast<char*>(memory) + (ring - shared_address(memory)));
#pragma unroll
        for (int part = 0; part < kParts; part++)
#pragma unroll
            for (int j = 0; j < kColumns / 8; j++) {
                float* target = tile + (part * kColumns + 8 * j + 2 * t) * kSumStride + 16 * warp + g;
                target[0] = sums[part][4 * j];
                target[kSumStride] = sums[part][4 * j + 1];
                target[8] = sums[part][4 * j + 2];
                target[kSumStride + 8] = sums[part][4 * j + 3];
            }
    }
    if constexpr (Spec::kSplit > 1) synchronize_cluster();
    else __syncthreads();

    if (warp < kOutputWarps) {
#pragma unroll 1
        for (int first = warp; first < kTokens; first += kOutputWarps * kBatch) {
            if constexpr (!kOneBatch) find_targets(first);
            float2 values[kBatch][kGroups];
#pragma unroll
            for (int i = 0; i < kBatch; i++)
#pragma unroll
                for (int group = 0; group < kGroups; group++) {
                    unsigned address = ring + (index_of(first, i) * kSumStride + group * 64 + 2 * lane) * 4;
                    float2 sum;
                    if constexpr (Spec::kSplit == 1) {
                        sum = load_shared_pair(address);
                    } else {
                        float2 shares[Spec::kSplit];
#pragma unroll
                        for (int block = 0; block < Spec::kSplit; block++) shares[block] = load_cluster(address_in_block(address, block));
                        sum = shares[0];
#pragma unroll
                        for (int block = 1; block < Spec::kSplit; block++) sum = {sum.x + shares[block].x, sum.y + shares[block].y};
                    }
                    float norm = Spec::kNormalizes ? norm_factors[index_of(first, i)] : 1.0f;
                    values[i][group] = {sum.x * factors[group].x * norm, sum.y * factors[group].y * norm};
                }
#pragma unroll
            for (int i = 0; i < kBatch; i++) {
                int token = first_token + index_of(first, i);
                if (first + i * kOutputWarps >= kTokens || token >= token_count) continue;
#pragma unroll
                for (int group = 0; group < kGroups; group++) {
                    int n = first_output + group * 64 + 2 * lane;
                    store_pair<Spec>(targets[i][group], values[i][group].x, values[i][group].y);
                    if constexpr (Spec::kPreparesNorm) {
                        float2 x = {targets[i][group].other.x + values[i][group].x, targets[i][group].other.y + values[i][group].y};
                        if (args.gain) {
                            *reinterpret_cast<unsigned*>(args.prepared + static_cast<size_t>(token) * Spec::kOutputs + n) =
                                pack_bf16(x.x * gains[group].x, x.y * gains[group].y);
                            float squares = warp_sum(x.x * x.x + x.y * x.y);
                            if (lane == 0) args.new_squares[static_cast<size_t>(n / 64) * args.square_stride + token] = squares;
                        }
                    }
                }
            }
        }
    }
    if constexpr (Spec::kSplit > 1) synchronize_cluster(); // others may still read this block's sums
}

} // namespace ernie
