// What the device keeps of a request: set once by the host, advanced here until it ends. Mirrors Ernie.Cuda's SlotState, field by field.
#pragma once
#include "ernie/sampling/philox.cuh"

namespace ernie {

inline constexpr int kStopCapacity = 32;     // stop tokens of a slot
inline constexpr int kTailTokens = 256;      // last tokens that are remembered
inline constexpr int kScratchBytes = 1024;   // of a sampler's own, per slot
inline constexpr int kParameterCapacity = 64; // bytes of a sampler's parameters

// Whether and why a request has ended. Numbers are those of Ernie.Execution.RowEnd.
enum RowEnd : int { kGoesOn, kStopToken, kMaxLength };

// Which logits of a row are kept when what follows changes them. Numbers are those of Ernie.Sampling.LogitStage, one more; 0 keeps none.
enum KeptLogits : int { kKeepsNone, kKeepsRaw, kKeepsProcessed };

// One line of the cache.
struct SlotState {
    unsigned char parameters[kParameterCapacity];
    unsigned seed_low, seed_high, stream;
    int sampler;       // which functor draws
    int counts_tokens; // whether counts[] is kept
    int prompt_length;
    int min_tokens;    // generated before a stop token may end it
    int max_length;    // prompt and output, at which it ends
    int stop_count;
    unsigned processors; // a bit for each that the request uses, the first of the list the lowest
    int end;           // RowEnd; written here: steps that were queued ahead leave what has ended as it is
    int keeps_logits;  // KeptLogits: which logits log-probabilities are told of
    int reserved[4];
};
static_assert(sizeof(SlotState) == 128, "one line of the cache");

struct SlotTables {
    SlotState* states;
    int* stops;             // [slots, kStopCapacity]
    int* tails;             // [slots, kTailTokens] token at position p in p % kTailTokens
    int* counts;            // [slots, vocabulary] occurrences in the output; the top bit says that the prompt holds it
    int* last_token;        // [slots]
    unsigned char* scratch; // [slots, kScratchBytes]
    unsigned char* processors; // [slots, bytes of all processors' states]
    unsigned* masks;        // [slots, vocabulary / 32 and what fills 16 bytes] bits of the tokens that may come at the position being drawn
};

inline constexpr int kInPrompt = static_cast<int>(0x80000000);

} // namespace ernie
