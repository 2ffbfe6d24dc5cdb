// Prepares a slot's token counts and tail.
//   launch   one block of Spec::kThreads
#pragma once
#include "ernie/sampling/slot.cuh"

namespace ernie {

struct SetSlotArgs {
    SlotTables tables;
    const int* tokens;   // [token_count] prompt, and output so far after a preemption
    int token_count;
    int slot;
};

template <class Spec>
__device__ void set_slot(const SetSlotArgs& args) {
    const SlotState& state = args.tables.states[args.slot];
    int* tail = args.tables.tails + static_cast<size_t>(args.slot) * kTailTokens;
    for (int i = max(0, args.token_count - kTailTokens) + threadIdx.x; i < args.token_count; i += Spec::kThreads)
        tail[i % kTailTokens] = args.tokens[i];
    if (!state.counts_tokens) return;

    int* counts = args.tables.counts + static_cast<size_t>(args.slot) * Spec::kVocabulary;
    for (int i = threadIdx.x; i < Spec::kVocabulary; i += Spec::kThreads) counts[i] = 0;
    __syncthreads();
    for (int i = threadIdx.x; i < args.token_count; i += Spec::kThreads) {
        if (i < state.prompt_length) atomicOr(counts + args.tokens[i], kInPrompt);
        else atomicAdd(counts + args.tokens[i], 1);
    }
}

} // namespace ernie
