// Last kernel of a step: draws a token for each row that the device samples, and tells the host.
//   launch   one block of Spec::kThreads per row of logits; a block whose row belongs to another sampler, or to the host, only reports
// Spec::Functor is a sampler's device form: a struct with
//   template <class Row> static __device__ int sample(Row& row, const unsigned char* parameters);
// called by all threads of the block, returning the same token in all of them. See Row for what it may use.
// The last block of the last sampler's launch advances the step, so that the next one needs no input from the host.
#pragma once
#include "ernie/common/device.cuh"
#include "ernie/common/step.cuh"
#include "ernie/sampling/slot.cuh"

namespace ernie {

struct SampleArgs {
    StepHeader* header;
    const float* logits;   // [rows, logit_stride]
    float* adjusted;       // [rows, logit_stride] scratch for rows with biases, penalties or masks
    SlotTables tables;
    const TokenPlace* places;
    int4* records;         // mapped host memory [kRecordRing, row_capacity]: token, sequence
    int* arrivals;         // zero between launches
    int logit_stride;
    int row_capacity;
    int sampler;
    int advances;          // 1 for the step's last launch
};

inline constexpr int kRecordRing = 4; // steps whose records the host has not read

// One row as a sampler sees it. Functions that take part in a block-wide result must be called by every thread.
template <int kThreads>
struct Row {
    const float* logits; // after biases, penalties and masks
    int vocabulary;
    Philox random;       // keyed by the request's seed and this token's position
    const int* counts;   // occurrences in the output (mask off kInPrompt), or null when the request does not keep them
    const int* tail;     // token at position p in tail[p % kTailTokens]
    int position;        // of the token being drawn
    unsigned long long* scratch; // [256] shared memory for reductions

    __device__ float maximum(float value) {
        value = warp_max(value);
        float* shared = reinterpret_cast<float*>(scratch);
        if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = value;
        __syncthreads();
        value = shared[threadIdx.x % (kThreads / 32)];
        value = warp_max(value);
        __syncthreads();
        return value;
    }

    // Sums of integers: the same in every order.
    __device__ unsigned long long sum(unsigned long long value) {
        for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(kFullWarp, value, distance);
        if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = value;
        __syncthreads();
        value = 0;
        for (int w = 0; w < kThreads / 32; w++) value += scratch[w];
        __syncthreads();
        return value;
    }

    // Index that goes with the greatest value, the lowest index on a tie.
    __device__ int index_of_maximum(float value, int index) {
        // Ordered as integers: the float's bits with the order of negatives reversed, then the complement of the index.
        unsigned bits = __float_as_uint(value);
        bits = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
        unsigned long long key = static_cast<unsigned long long>(bits) << 32 | ~static_cast<unsigned>(index);
        for (int distance = 16; distance > 0; distance /= 2) {
            unsigned long long other = __shfl_xor_sync(kFullWarp, key, distance);
            key = other > key ? other : key;
        }
        if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = key;
        __syncthreads();
        key = scratch[0];
        for (int w = 1; w < kThreads / 32; w++) key = scratch[w] > key ? scratch[w] : key;
        __syncthreads();
        return static_cast<int>(~static_cast<unsigned>(key));
    }

    // The most probable token, the lowest id on a tie.
    __device__ int most_probable() {
        float best = -3.4e38f;
        int index = 0;
        for (int i = threadIdx.x * 4; i < vocabulary; i += kThreads * 4) {
            float4 x = *reinterpret_cast<const float4*>(logits + i);
            if (x.x > best) { best = x.x; index = i; }
            if (x.y > best) { best = x.y; index = i + 1; }
            if (x.z > best) { best = x.z; index = i + 2; }
            if (x.w > best) { best = x.w; index = i + 3; }
        }
        return index_of_maximum(best, index);
    }
};

// The order is the server's: biases, min-tokens mask, repetition, frequency and presence penalties, bad words.
template <class Spec>
__device__ const float* adjust(const SampleArgs& args, const SlotState& state, int slot, int row, int position) {
    const SlotTables& tables = args.tables;
    const float* logits = args.logits + static_cast<size_t>(row) * args.logit_stride;
    const bool masks_stops = position - state.prompt_length < state.min_tokens && state.stop_count > 0;
    const bool penalizes = state.repetition_penalty != 1 || state.frequency_penalty != 0 || state.presence_penalty != 0;
    if (!masks_stops && !penalizes && state.bias_count == 0 && state.bad_word_count == 0) return logits;

    float* adjusted = args.adjusted + static_cast<size_t>(row) * args.logit_stride;
    for (int i = threadIdx.x; i < Spec::kVocabulary; i += Spec::kThreads) adjusted[i] = logits[i];
    __syncthreads();
    for (int i = threadIdx.x; i < state.bias_count; i += Spec::kThreads) {
        int2 bias = tables.biases[static_cast<size_t>(slot) * kBiasCapacity + i];
        float value = __int_as_float(bias.y);
        // -100 bans and +100 forces, whatever the logits are.
        adjusted[bias.x] = value <= -100 ? -3.0e38f : value >= 100 ? adjusted[bias.x] + 1.0e30f : adjusted[bias.x] + value;
    }
    __syncthreads();
    if (masks_stops)
        for (int i = threadIdx.x; i < state.stop_count; i += Spec::kThreads) adjusted[tables.stops[slot * kStopCapacity + i]] = -3.0e38f;
    __syncthreads();
    if (penalizes) {
        const int* counts = tables.counts + static_cast<size_t>(slot) * Spec::kVocabulary;
        for (int i = threadIdx.x; i < Spec::kVocabulary; i += Spec::kThreads) {
            int count = counts[i];
            if (count == 0) continue;
            float x = adjusted[i];
            x = x > 0 ? x / state.repetition_penalty : x * state.repetition_penalty;
            int generated = count & ~kInPrompt;
            if (generated > 0) x -= generated * state.frequency_penalty + state.presence_penalty;
            adjusted[i] = x;
        }
    }
    __syncthreads();
    if (threadIdx.x == 0 && state.bad_word_count > 0) {
        const int* words = tables.bad_words + static_cast<size_t>(slot) * kBadWordCapacity;
        const int* tail = tables.tails + static_cast<size_t>(slot) * kTailTokens;
        for (int i = 0; i < state.bad_word_count; i += words[i] + 1) {
            int length = words[i];
            bool matches = length - 1 <= position;
            for (int j = 0; j < length - 1 && matches; j++) matches = tail[(position - length + 1 + j) % kTailTokens] == words[i + 1 + j];
            if (matches) adjusted[words[i + length]] = -3.0e38f;
        }
    }
    __syncthreads();
    return adjusted;
}

template <class Spec>
__device__ void sample_rows(const SampleArgs& args) {
    static_assert(Spec::kVocabulary % 4 == 0 && Spec::kThreads % 32 == 0, "four logits at a time");
    __shared__ unsigned long long scratch[256];
    allow_next_kernel();
    wait_for_previous_kernel();

    StepRows rows = step_rows(args.header, args.row_capacity);
    const int index = blockIdx.x;
    const int row = index < args.header->logit_count ? rows.logit_row[index] : -1; // negative: the host samples it
    const int slot = row >= 0 ? rows.slot[row] : -1;
    if (row >= 0 && args.tables.states[slot].sampler == args.sampler) {
        const SlotState& state = args.tables.states[slot];
        const int position = args.places[rows.logit_token[index]].position + 1;
        Row<Spec::kThreads> sampled = {
            adjust<Spec>(args, state, slot, index, position), Spec::kVocabulary,
            {state.seed_low, state.seed_high, static_cast<unsigned>(position), 0, state.stream},
            state.counts_tokens ? args.tables.counts + static_cast<size_t>(slot) * Spec::kVocabulary : nullptr,
            args.tables.tails + static_cast<size_t>(slot) * kTailTokens, position, scratch};
        int token = Spec::Functor::sample(sampled, state.parameters);
        if (threadIdx.x == 0) {
            args.tables.last_token[slot] = token;
            args.tables.tails[static_cast<size_t>(slot) * kTailTokens + position % kTailTokens] = token;
            if (state.counts_tokens) args.tables.counts[static_cast<size_t>(slot) * Spec::kVocabulary + token]++;
            // One 16-byte store: the host sees the token and its stamp together.
            unsigned sequence = args.header->sequence;
            int4* record = args.records + sequence % kRecordRing * args.row_capacity + row;
            asm volatile("st.volatile.global.v4.s32 [%0], {%1, %2, %3, %4};" ::"l"(record), "r"(token), "r"(sequence), "r"(slot), "r"(0) : "memory");
        }
    }
    if (!args.advances) return;

    __syncthreads();
    __shared__ int is_last;
    if (threadIdx.x == 0) {
        __threadfence();
        is_last = atomicAdd(args.arrivals, 1) == gridDim.x - 1;
    }
    __syncthreads();
    if (!is_last) return;
    // Decoding rows go on by one token; a step of any other kind is followed by one that the host describes in full.
    for (int i = threadIdx.x; i < args.header->row_count; i += Spec::kThreads) rows.start[i]++;
    if (threadIdx.x == 0) {
        args.header->update_count = 0;
        args.header->tokens_on_device = 1;
        args.header->sequence++;
        *args.arrivals = 0;
    }
}

// Greedy decoding.
struct MostProbable {
    template <class Row>
    static __device__ int sample(Row& row, const unsigned char*) { return row.most_probable(); }
};

} // namespace ernie
