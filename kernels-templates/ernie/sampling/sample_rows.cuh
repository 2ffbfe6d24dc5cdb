// Last kernel of a step: draws a token for each row that the device samples, and tells the host.
//   launch   (blocks per row, rows of logits) blocks of Spec::kThreads; with several blocks per row all of them must fit on the
//            device at once, because they wait for each other
// Spec::Functors lists the samplers' device forms in the order of their index; forms.cuh says what they are.
// The last row to be done advances the step, so that the next one needs no input from the host.
#pragma once
#include "ernie/common/device.cuh"
#include "ernie/common/step.cuh"
#include "ernie/sampling/forms.cuh"

namespace ernie {

struct SampleArgs {
    StepHeader* header;
    float* logits;         // [rows, logit_stride]; rows with biases, penalties or masks are changed
    SlotTables tables;
    int4* records;         // mapped host memory [kRecordRing, row_capacity]: token, sequence
    int* arrivals;         // zero between launches
    void* channels;        // RowChannel per row that blocks share
    int logit_stride;
    int row_capacity;
};

inline constexpr int kRecordRing = 4; // steps whose records the host has not read

// Changes the block's share of a row. The order is the server's: biases, min-tokens mask, repetition, frequency and presence
// penalties, bad words.
template <class Row>
__device__ void adjust(Row& row, const SlotTables& tables, const SlotState& state, int slot, const int* counts) {
    const bool masks_stops = row.head().position - state.prompt_length < state.min_tokens && state.stop_count > 0;
    const bool penalizes = state.repetition_penalty != 1 || state.frequency_penalty != 0 || state.presence_penalty != 0;
    if (!masks_stops && !penalizes && state.bias_count == 0 && state.bad_word_count == 0) return;

    constexpr float kBanned = -3.0e38f;
    float* logits = row.logits;
    const int first = row.first(), end = row.end(), t = threadIdx.x;
    if (state.bias_count > 0) {
        // -100 bans and +100 forces, whatever the logits are; what is not forced is masked then. One bias a thread.
        int2 bias = t < state.bias_count ? tables.biases[static_cast<size_t>(slot) * kBiasCapacity + t] : int2{-1, 0};
        const float value = __int_as_float(bias.y);
        const bool is_mine = row.is_mine(bias.x);
        const float biased = !is_mine || value <= -100 ? kBanned : logits[bias.x] + value;
        const bool forces = __syncthreads_or(t < state.bias_count && value >= 100);
        if (forces) {
            for (int i = first + t; i < end; i += Row::kThreads) logits[i] = kBanned;
            __syncthreads();
        }
        if (is_mine && (!forces || value >= 100)) logits[bias.x] = biased;
        __syncthreads();
    }
    if (masks_stops) {
        for (int i = t; i < state.stop_count; i += Row::kThreads) {
            const int token = tables.stops[slot * kStopCapacity + i];
            if (row.is_mine(token)) logits[token] = kBanned;
        }
        __syncthreads();
    }
    if (penalizes) {
        for (int i = first + t; i < end; i += Row::kThreads) {
            const int count = counts[i];
            if (count == 0) continue;
            float x = logits[i];
            x = x > 0 ? x / state.repetition_penalty : x * state.repetition_penalty;
            const int generated = count & ~kInPrompt;
            if (generated > 0) x -= generated * state.frequency_penalty + state.presence_penalty;
            logits[i] = x;
        }
        __syncthreads();
    }
    if (t == 0 && state.bad_word_count > 0) {
        const int* words = tables.bad_words + static_cast<size_t>(slot) * kBadWordCapacity;
        for (int i = 0; i < state.bad_word_count; i += words[i] + 1) {
            const int length = words[i];
            bool matches = length - 1 <= row.head().position && row.is_mine(words[i + length]);
            for (int j = 0; j < length - 1 && matches; j++) matches = row.head().tail[(row.head().position - length + 1 + j) % kTailTokens] == words[i + 1 + j];
            if (matches) logits[words[i + length]] = kBanned;
        }
    }
    __syncthreads();
}

// What one thread does when a row's token is known.
__device__ inline void report(const SampleArgs& args, const RowHead& head, int token, int vocabulary) {
    // The host refuses a token that does not exist; until it does, the row goes on with one that does.
    const int valid = token >= 0 && token < vocabulary ? token : 0;
    args.tables.last_token[head.slot] = valid;
    args.tables.tails[static_cast<size_t>(head.slot) * kTailTokens + head.position % kTailTokens] = valid;
    if (head.counts != nullptr) args.tables.counts[static_cast<size_t>(head.slot) * vocabulary + valid]++;
    const int shown = token >= 0 ? token : 0x7fffffff;
    // One 16-byte store: the host sees the token and its stamp together.
    int4* record = args.records + head.sequence % kRecordRing * args.row_capacity + head.batch_row;
    asm volatile("st.volatile.global.v4.s32 [%0], {%1, %2, %3, %4};" ::"l"(record), "r"(shown), "r"(head.sequence), "r"(head.slot), "r"(0) : "memory");
}

// One row, by one of its blocks.
template <class Spec>
__device__ void sample_row(const SampleArgs& args, RowShared<Spec>& shared, int index, int block, int blocks) {
    // Written before this step's first kernel began, so that reading it need not wait.
    const StepRows rows = step_rows(args.header, args.row_capacity);
    if (index >= args.header->logit_count) return;
    const int of_batch = rows.logit_row[index]; // negative: the host samples it
    if (of_batch < 0) return;
    const int slot = rows.slot[of_batch];
    const int position = rows.start[of_batch] + rows.logit_token[index] - rows.token_offset[of_batch] + 1;
    const unsigned sequence = args.header->sequence;
    const SlotState& state = args.tables.states[slot];
    const int sampler = state.sampler;
    if (blocks > 1 && !Forms<typename Spec::Functors>::splits(sampler)) {
        if (block > 0) return;
        blocks = 1;
    }
    const int* counts = state.counts_tokens ? args.tables.counts + static_cast<size_t>(slot) * Spec::kVocabulary : nullptr;
    if (threadIdx.x == 0) {
        shared.head = {
            {state.seed_low, state.seed_high, static_cast<unsigned>(position), 0, state.stream},
            counts,
            args.tables.tails + static_cast<size_t>(slot) * kTailTokens,
            args.tables.scratch + static_cast<size_t>(slot) * kScratchBytes,
            static_cast<RowChannel<Spec::kThreads>*>(args.channels) + index,
            state.parameters,
            sampler,
            slot,
            of_batch,
            sequence,
            {},
            position,
            block,
            blocks,
            sequence * 0x9E3779B1u}; // far from the tags of other steps
    }
    __syncthreads();
    Row<Spec> row = {args.logits + static_cast<size_t>(index) * args.logit_stride, shared, 0, 0};
    wait_for_previous_kernel();

    adjust(row, args.tables, state, slot, counts);
    const int token = sample_by<typename Spec::Functors>(row);
    if (row.is_leader()) report(args, shared.head, token, Spec::kVocabulary);
}

template <class Spec>
__device__ void sample_rows(const SampleArgs& args) {
    static_assert(Spec::kVocabulary % 4 == 0, "four logits at a time");
    static_assert(Spec::kThreads >= kBiasCapacity && Spec::kThreads <= 1024 && (Spec::kThreads & (Spec::kThreads - 1)) == 0, "one bias a thread; sorts");
    __shared__ RowShared<Spec> shared;
    allow_next_kernel();
    sample_row<Spec>(args, shared, blockIdx.y, blockIdx.x, gridDim.x);
    wait_for_previous_kernel();

    // A row's first block is its last to be done: the others have given it what they have.
    if (blockIdx.x > 0) return;
    __syncthreads();
    __shared__ int is_last;
    if (threadIdx.x == 0) {
        __threadfence();
        is_last = atomicAdd(args.arrivals, 1) == gridDim.y - 1;
    }
    __syncthreads();
    if (!is_last) return;
    // Decoding rows go on by one token; a step of any other kind is followed by one that the host describes in full.
    StepRows rows = step_rows(args.header, args.row_capacity);
    for (int i = threadIdx.x; i < args.header->row_count; i += Spec::kThreads) rows.start[i]++;
    if (threadIdx.x == 0) {
        args.header->update_count = 0;
        args.header->tokens_on_device = 1;
        args.header->sequence++;
        *args.arrivals = 0;
    }
}

} // namespace ernie
