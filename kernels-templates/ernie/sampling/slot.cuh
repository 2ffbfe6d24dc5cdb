// What the device keeps of a request: set once by the host, advanced here. Mirrors Ernie.Cuda's SlotState, field by field.
#pragma once
#include "ernie/sampling/philox.cuh"

namespace ernie {

inline constexpr int kStopCapacity = 32;     // stop tokens of a slot
inline constexpr int kBiasCapacity = 1024;   // biased tokens of a slot
inline constexpr int kBadWordCapacity = 512; // ints of a slot: length, tokens, length, tokens, …
inline constexpr int kTailTokens = 256;      // last tokens that are remembered
inline constexpr int kScratchBytes = 1024;   // of a sampler's own, per slot

struct SlotState {
    unsigned char parameters[64];
    unsigned seed_low, seed_high, stream;
    int sampler;       // which functor draws
    int counts_tokens; // whether counts[] is kept
    int prompt_length;
    int min_tokens;
    int stop_count, bias_count, bad_word_count;
    float repetition_penalty, frequency_penalty, presence_penalty;
    int reserved[3];
};

struct SlotTables {
    SlotState* states;
    int* stops;             // [slots, kStopCapacity]
    int2* biases;           // [slots, kBiasCapacity] token, bits of the f32
    int* bad_words;         // [slots, kBadWordCapacity]
    int* tails;             // [slots, kTailTokens] token at position p in p % kTailTokens
    int* counts;            // [slots, vocabulary] occurrences in the output; the top bit says that the prompt holds it
    int* last_token;        // [slots]
    unsigned char* scratch; // [slots, kScratchBytes]
};

inline constexpr int kInPrompt = static_cast<int>(0x80000000);

} // namespace ernie
