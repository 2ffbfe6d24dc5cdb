// Quantises bf16 rows for products of e4m3, where the kernel that made them could not.
//   launch   eight threads per 128 values
#pragma once
#include "ernie/common/float8.cuh"

namespace ernie {

struct QuantizeRowsArgs {
    const Bf16* input; // [tokens, width]
    const int* token_count;
    QuantizedRows output;
};

template <class Spec>
__device__ void quantize_rows(const QuantizeRowsArgs& args) {
    constexpr int kBlocks = Spec::kWidth / 128;
    static_assert(Spec::kWidth % 128 == 0 && Spec::kThreads % 32 == 0, "whole blocks and warps");
    allow_next_kernel();
    wait_for_previous_kernel();
    const int token_count = *args.token_count;
    const int unit = (blockIdx.x * Spec::kThreads + threadIdx.x) / 8, piece = threadIdx.x % 8;
    const int token = unit / kBlocks, block = unit % kBlocks;
    const size_t first = static_cast<size_t>(min(token, token_count - 1)) * Spec::kWidth + block * 128 + piece / 4 * 64;
    const uint4* source = reinterpret_cast<const uint4*>(args.input + first);
    const uint4 low = source[piece % 4], high = source[4 + piece % 4];
    const unsigned pairs[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
    float largest = 0;
#pragma unroll
    for (int i = 0; i < 8; i++) largest = fmaxf(largest, fmaxf(fabsf(low_to_float(pairs[i])), fabsf(high_to_float(pairs[i]))));
#pragma unroll
    for (int distance = 4; distance > 0; distance /= 2) largest = fmaxf(largest, __shfl_xor_sync(kFullWarp, largest, distance));
    if (token >= token_count) return;

    const float inverse = inverse_factor(largest);
    unsigned words[4]; // elements 0, 2, 1, 3 of each four
#pragma unroll
    for (int i = 0; i < 4; i++)
        words[i] = pack_e4m3(low_to_float(pairs[2 * i]) * inverse, low_to_float(pairs[2 * i + 1]) * inverse) |
                   pack_e4m3(high_to_float(pairs[2 * i]) * inverse, high_to_float(pairs[2 * i + 1]) * inverse) << 16;
    *reinterpret_cast<uint4*>(args.output.codes + first + piece % 4 * 16) = {words[0], words[1], words[2], words[3]};
    if (piece == 0) args.output.factors[static_cast<size_t>(block) * args.output.stride + token] = largest / kLargestE4m3;
}

} // namespace ernie
