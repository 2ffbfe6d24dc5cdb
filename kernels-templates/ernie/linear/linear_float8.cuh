// Linear of e4m3 weights by e4m3 activations on compute capability 9.0: warpgroup products fed by tensor copies.
//   launch   kSplit 1: any number of blocks, which take tiles in turn; kSplit 2: clusters of two that split the inputs of a tile
//            kTileTokens / 64 warpgroups that multiply, one more whose first thread copies
//   weights  e4m3 [outputs, inputs] in the order of weights.cuh, as linear_decode reads them: there is no copy
//   input    quantised rows, see float8.cuh, in the same order
// Tokens are the rows of A and weights the columns of B, so that a quad of lanes holds a token's outputs: it finds the largest of 128 and
// stores their codes without shared memory, and copies for the next tile go on meanwhile.
// The tensor core's sums end with each 128 inputs and go to f32 totals times the factors of token and weight block. While one
// warpgroup does that, the other multiplies.
#pragma once
#include "ernie/common/float8.cuh"
#include "ernie/common/hopper.cuh"
#include "ernie/linear/epilogue.cuh"

namespace ernie {

struct LinearFloat8Args {
    TensorMap weight;            // boxes of 128 outputs x 128 inputs
    TensorMap input;             // boxes of kTileTokens x 128 inputs
    const float* scales;         // [inputs / 128, outputs]
    const float* input_factors;  // [inputs / 128, quantized.stride]
    const int* token_count;
    const float* squares;        // kNormalizes: [inputs / 64, quantized.stride] sums of squares of the residual
    const Bf16* gain;            // kPreparesNorm: [outputs] of the next norm, or null behind the last layer
    float* new_squares;          // kPreparesNorm: [outputs / 64, quantized.stride]
    QuantizedRows quantized;     // kPreparesNorm: residual times gain; kSwiglu: activations
    int token_tiles;             // tiles that cover the tokens of the launch
    EpilogueArgs epilogue;
};

// 128 outputs of a token: v[p] of lane t of a quad are outputs n + 8p + 2t and the next. All lanes call; is_there: the token is stored.
template <class Spec>
__device__ __forceinline__ void finish_residual(const LinearFloat8Args& args, int token, bool is_there, int n, float2 (&v)[16]) {
    const int t = threadIdx.x % 4;
    float2* row = reinterpret_cast<float2*>(args.epilogue.output + static_cast<size_t>(token) * Spec::kOutputs + n) + t;
    float2 old[16];
#pragma unroll
    for (int p = 0; p < 16; p++) old[p] = row[4 * p];
#pragma unroll
    for (int p = 0; p < 16; p++) {
        v[p] = {old[p].x + v[p].x, old[p].y + v[p].y};
        if (is_there) row[4 * p] = v[p];
    }
    if (!Spec::kPreparesNorm || args.gain == nullptr) return;

    const unsigned* gain = reinterpret_cast<const unsigned*>(args.gain + n) + t;
    float squares[2] = {}, largest = 0;
#pragma unroll
    for (int p = 0; p < 16; p++) {
        squares[p / 8] += v[p].x * v[p].x + v[p].y * v[p].y;
        unsigned g = gain[4 * p];
        v[p] = {v[p].x * low_to_float(g), v[p].y * high_to_float(g)};
        largest = fmaxf(largest, fmaxf(fabsf(v[p].x), fabsf(v[p].y)));
    }
    largest = quad_max(largest);
    const float inverse = inverse_factor(largest);
    uint4* codes = reinterpret_cast<uint4*>(args.quantized.codes + static_cast<size_t>(token) * Spec::kOutputs + n) + t;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        uint4 piece = codes_of_pairs(v + 8 * half, inverse);
        float sum = quad_sum(squares[half]);
        if (!is_there) continue;
        codes[4 * half] = piece;
        if (t == half) args.new_squares[static_cast<size_t>(n / 64 + half) * args.quantized.stride + token] = sum;
    }
    if (is_there && t == 2) args.quantized.factors[static_cast<size_t>(n / 128) * args.quantized.stride + token] = largest / kLargestE4m3;
}

// 128 outputs are one head.
template <class Spec>
__device__ __forceinline__ void finish_head(
    const LinearFloat8Args& args, int token, CachePlace place, bool is_there, int n, const float2 (&rotations)[16], float2 (&v)[16]) {
    static_assert(Spec::kHeadSize == 128, "a part is a head");
    constexpr int kQueryWidth = Spec::kHeads * Spec::kHeadSize, kKeyWidth = Spec::kKeyValueHeads * Spec::kHeadSize;
    const int t = threadIdx.x % 4;
    Bf16* target;
    if (n < kQueryWidth) {
        target = args.epilogue.query + static_cast<size_t>(token) * kQueryWidth + n;
    } else {
        const bool is_key = n < kQueryWidth + kKeyWidth;
        const int head = (n - (is_key ? kQueryWidth : kQueryWidth + kKeyWidth)) / Spec::kHeadSize;
        const size_t row = static_cast<size_t>(place.row) + head * (args.epilogue.page_table == nullptr ? 1 : Spec::kTokensPerPage);
        target = (is_key ? args.epilogue.keys : args.epilogue.values) + row * Spec::kHeadSize;
    }
    const bool rotates = n < kQueryWidth + kKeyWidth;
#pragma unroll
    for (int first = 0; first < 16; first += 4) {
        unsigned words[4];
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int p = first + i;
            const float2 rotation = rotates ? rotations[p] : float2{1, 0};
            words[i] = pack_bf16(v[p].x * rotation.x - v[p].y * rotation.y, v[p].y * rotation.x + v[p].x * rotation.y);
        }
        transpose_quad(words);
        if (is_there) reinterpret_cast<uint4*>(target)[first + t] = {words[0], words[1], words[2], words[3]};
    }
}

template <class Spec>
__device__ void linear_float8(const LinearFloat8Args& args) {
    constexpr int kDepth = 128; // inputs of a stage: 128 bytes, the width of the swizzle, and what shares a factor
    constexpr int kBlocks = Spec::kInputs / kDepth / Spec::kSplit;
    constexpr int kGroups = Spec::kTileTokens / 64;
    constexpr int kParts = Spec::kTileOutputs / 128;
    constexpr int kInputBytes = Spec::kTileTokens * kDepth, kPartBytes = 128 * kDepth;
    constexpr int kStageBytes = kInputBytes + kParts * kPartBytes;
    constexpr int kScaleBytes = 16; // of a part: those of even and odd outputs, twice
    constexpr int kFactorBytes = Spec::kTileTokens * 4 + kParts * kScaleBytes;
    constexpr int kTiles = Spec::kOutputs / Spec::kTileOutputs;
    constexpr int kStages = Spec::kStages;
    static_assert(Spec::kThreads == 128 * (kGroups + 1), "warpgroups that multiply and one that copies");
    static_assert(Spec::kInputs % (kDepth * Spec::kSplit) == 0 && Spec::kOutputs % Spec::kTileOutputs == 0, "whole tiles");
    static_assert(Spec::kSplit <= 2, "a block of a cluster finishes rows g or g + 8");
    static_assert(Spec::kEpilogue != Epilogue::kSwiglu || (kParts == 2 && Spec::kSplit == 1), "128 activations share a factor");

    __shared__ alignas(8) unsigned long long filled_barriers[kStages], emptied_barriers[kStages];
    extern __shared__ uint4 memory[]; // from 1,024 bytes on: stages, factors of stages, kSplit 2: sums for the other block
    const unsigned ring = (shared_address(memory) + 1023u) & ~1023u; // the swizzle counts from multiples of 1,024
    const unsigned factors = ring + kStages * kStageBytes, exchange = factors + kStages * kFactorBytes;
    const unsigned filled = shared_address(filled_barriers), emptied = shared_address(emptied_barriers);
    const int group = threadIdx.x / 128, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int rank = Spec::kSplit == 1 ? 0 : blockIdx.x % Spec::kSplit;
    const int first_block = rank * kBlocks, first_tile = blockIdx.x / Spec::kSplit, tile_step = gridDim.x / Spec::kSplit;
    const int tile_count = kTiles * args.token_tiles;

    if (threadIdx.x == 128 * kGroups) {
        for (int stage = 0; stage < kStages; stage++) {
            initialize_barrier(filled + stage * 8, 1);
            initialize_barrier(emptied + stage * 8, 4 * kGroups);
        }
        publish_barriers();
    }
    __syncthreads();
    allow_next_kernel();

    if (group == kGroups) {
        if constexpr (Spec::kConsumerRegisters > 0) give_registers<Spec::kProducerRegisters>();
        if (threadIdx.x != 128 * kGroups) return;

        const unsigned long long policy = evict_last_policy();
        auto copy_weights = [&](int stage, int tile, int block) {
            const int input = (first_block + block) * kDepth, first_output = tile / args.token_tiles * Spec::kTileOutputs;
            arrive_expecting(filled + stage * 8, kStageBytes + kFactorBytes);
#pragma unroll
            for (int part = 0; part < kParts; part++) {
                copy_box(ring + stage * kStageBytes + kInputBytes + part * kPartBytes, args.weight, input, first_output + part * 128,
                         filled + stage * 8, policy);
                copy_bytes(factors + stage * kFactorBytes + Spec::kTileTokens * 4 + part * kScaleBytes,
                           args.scales + static_cast<size_t>(first_block + block) * Spec::kOutputs + first_output + part * 128, kScaleBytes,
                           filled + stage * 8);
            }
        };
        auto copy_input = [&](int stage, int tile, int block) {
            const int first_token = tile % args.token_tiles * Spec::kTileTokens;
            copy_box(ring + stage * kStageBytes, args.input, (first_block + block) * kDepth, first_token, filled + stage * 8, policy);
            copy_bytes(factors + stage * kFactorBytes,
                       args.input_factors + static_cast<size_t>(first_block + block) * args.quantized.stride + first_token,
                       Spec::kTileTokens * 4, filled + stage * 8);
        };
        // Weights need nothing of the previous kernel.
        constexpr int kEarly = kStages < kBlocks ? kStages : kBlocks;
        if (first_tile < tile_count)
            for (int block = 0; block < kEarly; block++) copy_weights(block, first_tile, block);
        prefetch_map(args.input);
        wait_for_previous_kernel();
        int step = 0;
        for (int tile = first_tile; tile < tile_count; tile += tile_step) {
            for (int block = 0; block < kBlocks; block++, step++) {
                const int stage = step % kStages;
                if (step >= kStages) wait_barrier(emptied + stage * 8, (step / kStages - 1) & 1);
                if (step >= kEarly) copy_weights(stage, tile, block);
                copy_input(stage, tile, block);
            }
        }
        return;
    }

    if constexpr (Spec::kConsumerRegisters > 0) take_registers<Spec::kConsumerRegisters>();
    wait_for_previous_kernel();
    const int token_count = *args.token_count;
    const int g = lane / 4, t = lane % 4, row = 16 * warp + g; // of the tile, and the row eight further
    int step = 0;
#pragma unroll 1
    for (int tile = first_tile; tile < tile_count; tile += tile_step) {
        const int first_output = tile / args.token_tiles * Spec::kTileOutputs, first_token = tile % args.token_tiles * Spec::kTileTokens;
        // Tokens that are not there are computed as copies of the last one and not stored: no branch parts the lanes.
        auto token_of = [&](int half) { return min(first_token + row + 8 * half, token_count - 1); };
        float norms[2] = {1, 1};
        if constexpr (Spec::kNormalizes) {
            constexpr int kSquares = Spec::kInputs / 64;
#pragma unroll
            for (int half = 0; half < 2; half++) {
                float sum = 0;
#pragma unroll
                for (int part = 0; part < (kSquares + 3) / 4; part++)
                    if (kSquares % 4 == 0 || 4 * part + t < kSquares)
                        sum += args.squares[static_cast<size_t>(4 * part + t) * args.quantized.stride + token_of(half)];
                norms[half] = rsqrtf(quad_sum(sum) / Spec::kInputs + Spec::kEpsilon);
            }
        }

        float totals[kParts][64] = {};
#pragma unroll 1
        for (int block = 0; block < kBlocks; block++, step++) {
            const int stage = step % kStages;
            wait_barrier(filled + stage * 8, step / kStages & 1);
            const unsigned stage_factors = factors + stage * kFactorBytes;
            const float low = load_shared_float(stage_factors + row * 4), high = load_shared_float(stage_factors + (row + 8) * 4);
            float2 scales[kParts]; // of even and odd outputs: gate and up rows alternate
#pragma unroll
            for (int part = 0; part < kParts; part++)
                scales[part] = load_shared_pair(stage_factors + Spec::kTileTokens * 4 + part * kScaleBytes);
            const unsigned long long a = matrix_descriptor(ring + stage * kStageBytes + group * 64 * kDepth);
            const unsigned long long b = matrix_descriptor(ring + stage * kStageBytes + kInputBytes);
#pragma unroll
            for (int part = 0; part < kParts; part++) {
                float sums[64];
                begin_products();
#pragma unroll
                for (int k = 0; k < kDepth / 32; k++) multiply_float8_async(sums, a + 2 * k, b + part * (kPartBytes / 16) + 2 * k, k > 0);
                commit_products();
                wait_products<0>();
                settle(sums);
                if (part == kParts - 1 && lane == 0) arrive(emptied + stage * 8);
                const float4 factor = {low * scales[part].x, low * scales[part].y, high * scales[part].x, high * scales[part].y};
#pragma unroll
                for (int j = 0; j < 16; j++) {
                    totals[part][4 * j] += sums[4 * j] * factor.x;
                    totals[part][4 * j + 1] += sums[4 * j + 1] * factor.y;
                    totals[part][4 * j + 2] += sums[4 * j + 2] * factor.z;
                    totals[part][4 * j + 3] += sums[4 * j + 3] * factor.w;
                }
            }
        }

        if constexpr (Spec::kSplit == 2) {
            // Each gives the other's rows away; the first block's share is added first.
            auto place = [&](int part, int j) { return exchange + ((part * 16 + j) * 128 * kGroups + threadIdx.x) * 8; };
#pragma unroll
            for (int part = 0; part < kParts; part++)
#pragma unroll
                for (int j = 0; j < 16; j++) {
                    const float* sums = totals[part] + 4 * j;
                    store_shared_pair(place(part, j), rank == 0 ? float2{sums[2], sums[3]} : float2{sums[0], sums[1]});
                }
            synchronize_cluster();
#pragma unroll
            for (int part = 0; part < kParts; part++)
#pragma unroll
                for (int j = 0; j < 16; j++) {
                    float* sums = totals[part] + 4 * j;
                    float2 other = load_cluster(address_in_block(place(part, j), 1 - rank));
                    sums[0] = (rank == 0 ? sums[0] : sums[2]) + other.x;
                    sums[1] = (rank == 0 ? sums[1] : sums[3]) + other.y;
                }
        }

#pragma unroll
        for (int h = 0; h < (Spec::kSplit == 2 ? 1 : 2); h++) {
            const int half = Spec::kSplit == 2 ? rank : h;
            const int token = token_of(half);
            const bool is_there = first_token + row + 8 * half < token_count;
            const float norm = half == 0 ? norms[0] : norms[1];
            if constexpr (Spec::kEpilogue == Epilogue::kSwiglu) {
                float activations[32], largest = 0;
#pragma unroll
                for (int i = 0; i < 32; i++) {
                    const float* pair = totals[i / 16] + 4 * (i % 16) + 2 * h;
                    float gate = pair[0] * norm, up = pair[1] * norm;
                    activations[i] = gate / (1.0f + __expf(-gate)) * up;
                    largest = fmaxf(largest, fabsf(activations[i]));
                }
                largest = quad_max(largest);
                const float inverse = inverse_factor(largest);
                const int n = first_output / 2;
                unsigned char* codes = args.quantized.codes + static_cast<size_t>(token) * (Spec::kOutputs / 2) + n;
#pragma unroll
                for (int part = 0; part < 2; part++) {
                    uint4 piece = codes_of_singles(activations + 16 * part, inverse);
                    if (is_there) reinterpret_cast<uint4*>(codes + 64 * part)[piece_of_singles()] = piece;
                }
                if (is_there && t == 0)
                    args.quantized.factors[static_cast<size_t>(n / 128) * args.quantized.stride + token] = largest / kLargestE4m3;
            } else {
                CachePlace place = {};
                float2 rotations[16];
                if constexpr (Spec::kEpilogue == Epilogue::kQkv) {
                    place = cache_place<Spec>(args.epilogue, token, true);
                    const float2* source = args.epilogue.rotations + static_cast<size_t>(place.position) * (Spec::kHeadSize / 2) + t;
#pragma unroll
                    for (int p = 0; p < 16; p++) rotations[p] = source[4 * p];
                }
#pragma unroll
                for (int part = 0; part < kParts; part++) {
                    float2 v[16];
#pragma unroll
                    for (int p = 0; p < 16; p++) v[p] = {totals[part][4 * p + 2 * h] * norm, totals[part][4 * p + 2 * h + 1] * norm};
                    const int n = first_output + part * 128;
                    if constexpr (Spec::kEpilogue == Epilogue::kQkv) finish_head<Spec>(args, token, place, is_there, n, rotations, v);
                    else finish_residual<Spec>(args, token, is_there, n, v);
                }
            }
        }
        if constexpr (Spec::kSplit == 2) synchronize_cluster(); // the other may still read this block's sums
    }
}

} // namespace ernie
