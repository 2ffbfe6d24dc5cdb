// First kernel of a step: brings the page table up to date, finds each token's id, place and embedding, and prepares the first norm
// as linear_wgmma or linear_float8 does the others.
//   launch   one block of Spec::kThreads per token of the bucket; blocks past the step's tokens only help with the page table
#pragma once
#include "ernie/common/float8.cuh"
#include "ernie/common/step.cuh"

namespace ernie {

struct EmbedArgs {
    StepHeader* header;
    int row_capacity;
    int* page_table;         // [slots, pages per slot]
    const int* last_token;   // [slots] what the slot sampled last
    const Bf16* embedding;   // [vocabulary, width]
    float* residual;         // [tokens, width]
    TokenPlace* places;      // [tokens]
    const Bf16* gain;        // [width] of the first norm, or null when its reader normalises by itself
    Bf16* prepared;          // [tokens, width] embedding times gain, or null
    float* squares;          // [width / 64, square_stride] sums of squares
    int square_stride;
    QuantizedRows quantized; // kQuantizes: embedding times gain, where prepared is null
};

template <class Spec>
__device__ void embed(const EmbedArgs& args) {
    static_assert(Spec::kWidth % (4 * Spec::kThreads) == 0, "threads share a row evenly, four values at a time");
    allow_next_kernel();
    wait_for_previous_kernel();
    const StepHeader header = *args.header;
    const int* ints = reinterpret_cast<const int*>(args.header);
    const int2* updates = reinterpret_cast<const int2*>(ints + header.updates_offset);
    for (int i = blockIdx.x * Spec::kThreads + threadIdx.x; i < header.update_count; i += gridDim.x * Spec::kThreads)
        args.page_table[updates[i].x] = updates[i].y;

    const int token = blockIdx.x;
    if (token >= header.token_count) return;

    StepRows rows = step_rows(args.header, args.row_capacity);
    int id = -1, row = token;
    if (!header.tokens_on_device) {
        int2 entry = reinterpret_cast<const int2*>(ints + header.tokens_offset)[token];
        id = entry.x;
        row = entry.y;
    }
    int slot = rows.slot[row];
    if (id < 0) id = args.last_token[slot];
    if (threadIdx.x == 0) args.places[token] = {rows.start[row] + token - rows.token_offset[row], slot};

    const uint2* source = reinterpret_cast<const uint2*>(args.embedding) + static_cast<size_t>(id) * (Spec::kWidth / 4);
    float4* target = reinterpret_cast<float4*>(args.residual) + static_cast<size_t>(token) * (Spec::kWidth / 4);
    for (int i = threadIdx.x; i < Spec::kWidth / 4; i += Spec::kThreads) {
        uint2 x = source[i];
        float4 y = {low_to_float(x.x), high_to_float(x.x), low_to_float(x.y), high_to_float(x.y)};
        target[i] = y;
        if (args.gain) {
            uint2 gain = reinterpret_cast<const uint2*>(args.gain)[i];
            const float4 z = {y.x * low_to_float(gain.x), y.y * high_to_float(gain.x), y.z * low_to_float(gain.y), y.w * high_to_float(gain.y)};
            if (args.prepared)
                reinterpret_cast<uint2*>(args.prepared)[static_cast<size_t>(token) * (Spec::kWidth / 4) + i] = {
                    pack_bf16(z.x, z.y), pack_bf16(z.z, z.w)};
            else if constexpr (Spec::kQuantizes)
                store_codes_of_quads(args.quantized, token, Spec::kWidth, i / 32, z);
            // Sixteen lanes hold 64 values.
            float sum = y.x * y.x + y.y * y.y + y.z * y.z + y.w * y.w;
#pragma unroll
            for (int distance = 8; distance > 0; distance /= 2) sum += __shfl_xor_sync(kFullWarp, sum, distance);
            if (threadIdx.x % 16 == 0) args.squares[static_cast<size_t>(i / 16) * args.square_stride + token] = sum;
        }
    }
}

} // namespace ernie
