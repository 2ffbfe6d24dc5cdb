// Device forms of logits processors and how they are called. Part of the plugin contract.
//
// A form is a struct with
//   struct State                              the request's state block, byte by byte as the host writes it; 16 bytes or a multiple of that
//   void process(Row&, const State&)          changes logits of the block's own share: row.first() to row.end(); a template of the row's type
// Both are static; process is `__device__` and called by all threads of a block together, with a barrier behind it. What is masked gets
// kMasked. The list of all processors, Spec::Processors, is the order of Ernie.Sampling.LogitsProcessors; a bit of the slot's state says
// which of them the request uses, so that rows that use none pay for a comparison.
#pragma once
#include "ernie/sampling/row.cuh"

namespace ernie {

inline constexpr float kMasked = -3.0e38f;    // out of reach, and not an infinity that arithmetic could stumble over
inline constexpr int kBiasCapacity = 1024;    // tokens with a bias
inline constexpr int kBadWordInts = 1024;     // ends of words, and their tokens

// Masks what the mask that the host has sent for this position does not allow.
struct TokenMaskProcessor {
    struct State {
        int unused[4];
    };

    template <class Row>
    static __device__ void process(Row& row, const State&) {
        const unsigned* mask = row.head().mask;
        for (int token = row.first() + threadIdx.x * 4; token < row.end(); token += Row::kThreads * 4) {
            const unsigned allowed = mask[token / 32] >> token % 32 & 15;
            if (allowed == 15) continue;
#pragma unroll
            for (int i = 0; i < 4; i++)
                if ((allowed >> i & 1) == 0) row.logits[token + i] = kMasked;
        }
    }
};

// -100 bans and +100 forces, whatever the logits are; what is not forced is masked then. One bias a thread.
struct LogitBiasProcessor {
    struct State {
        int count, forces, unused[2];
        int2 biases[kBiasCapacity]; // token, bits of the f32
    };

    template <class Row>
    static __device__ void process(Row& row, const State& state) {
        static_assert(Row::kThreads >= kBiasCapacity, "one bias a thread");
        const bool has_bias = threadIdx.x < state.count, forces = state.forces != 0;
        const int2 bias = has_bias ? state.biases[threadIdx.x] : int2{-1, 0};
        const float value = __int_as_float(bias.y);
        const bool is_mine = row.is_mine(bias.x);
        const float biased = !is_mine || value <= -100 ? kMasked : row.logits[bias.x] + value;
        if (forces) {
            __syncthreads();
            for (int i = row.first() + threadIdx.x; i < row.end(); i += Row::kThreads) row.logits[i] = kMasked;
            __syncthreads();
        }
        if (is_mine && (!forces || value >= 100)) row.logits[bias.x] = biased;
    }
};

// Masks the tokens at which the request ends until it has as many as it asked for.
struct MinTokensProcessor {
    struct State {
        int tokens, count, unused[2];
        int stops[kStopCapacity];
    };

    template <class Row>
    static __device__ void process(Row& row, const State& state) {
        if (row.head().generated >= state.tokens || threadIdx.x >= state.count) return;
        const int stop = state.stops[threadIdx.x];
        if (row.is_mine(stop)) row.logits[stop] = kMasked;
    }
};

// Repetition, frequency and presence penalties.
struct PenaltiesProcessor {
    struct State {
        float repetition, frequency, presence, unused;
    };

    template <class Row>
    static __device__ void process(Row& row, const State& state) {
        const int* counts = row.head().counts;
        for (int i = row.first() + threadIdx.x; i < row.end(); i += Row::kThreads) {
            const int count = counts[i];
            if (count == 0) continue;
            float x = row.logits[i];
            x = x > 0 ? x / state.repetition : x * state.repetition;
            const int generated = count & ~kInPrompt;
            if (generated > 0) x -= generated * state.frequency + state.presence;
            row.logits[i] = x;
        }
    }
};

// Masks the last token of a word where the tokens before it were just generated. One word a thread.
struct BadWordsProcessor {
    struct State {
        int count, longest, unused[2];
        int ints[kBadWordInts]; // where each word ends in what follows; then the tokens of all
    };

    template <class Row>
    static __device__ void process(Row& row, const State& state) {
        const int* tokens = state.ints + state.count;
        const int position = row.head().position, generated = row.head().generated;
        for (int word = threadIdx.x; word < state.count; word += Row::kThreads) {
            const int start = word == 0 ? 0 : state.ints[word - 1], before = state.ints[word] - 1 - start;
            if (before > generated) continue;
            bool completes = true;
            for (int i = 0; i < before && completes; i++)
                completes = tokens[start + i] == row.head().tail[(position - before + i) % kTailTokens];
            const int last = tokens[start + before];
            if (completes && row.is_mine(last)) row.logits[last] = kMasked;
        }
    }
};

template <class List>
struct Processors;

template <>
struct Processors<Functors<>> {
    static constexpr int kStateBytes = 0;

    template <class Row>
    static __device__ void process(Row&, unsigned, const unsigned char*) {}
};

template <class First, class... Rest>
struct Processors<Functors<First, Rest...>> {
    using Others = Processors<Functors<Rest...>>;
    static_assert(sizeof(typename First::State) % 16 == 0, "states lie behind each other");
    static constexpr int kStateBytes = sizeof(typename First::State) + Others::kStateBytes;

    // Runs those whose bits are set, the lowest first. Together.
    template <class Row>
    static __device__ void process(Row& row, unsigned used, const unsigned char* states) {
        if (used & 1) {
            First::process(row, *reinterpret_cast<const typename First::State*>(states));
            __syncthreads();
        }
        Others::process(row, used >> 1, states + sizeof(typename First::State));
    }
};

} // namespace ernie
