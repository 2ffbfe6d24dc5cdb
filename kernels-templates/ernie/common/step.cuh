// One step of the engine as the kernels see it. Written by the host (one copy) or advanced by the last kernel of the
// step before, so that steady decoding copies nothing in. Mirrors Ernie.Cuda's StepHeader, field by field.
#pragma once

namespace ernie {

struct StepHeader {
    int row_count;
    int token_count;
    int logit_count;      // rows of logits; the first of them belong to the rows of the batch in order
    int update_count;     // changes of the page table
    int updates_offset;   // of int2 (index, page), in ints from the header
    int tokens_offset;    // of int2 (token id or -1, row), in ints from the header
    int tokens_on_device; // 1: every row has one token, which its slot sampled in the step before
    unsigned sequence;    // number of the step; stamps the records that the host polls
    int wish_count;       // drawn tokens whose log-probabilities are wanted
    int wishes_offset;    // of their LogProbabilityWish, in ints from the header
    int unused[2];
};

inline constexpr int kStepHeaderInts = 12;

// Arrays of row_capacity ints behind the header.
struct StepRows {
    int* slot;
    int* start;        // position of the row's first new token
    int* count;        // new tokens
    int* token_offset; // index of the first of them in the batch
    int* logit_token;  // [logit_capacity == row_capacity] index in the batch of the token whose logits are wanted
    int* logit_row;    // its row
};

__device__ __forceinline__ StepRows step_rows(StepHeader* header, int row_capacity) {
    int* first = reinterpret_cast<int*>(header) + kStepHeaderInts;
    return {first,
            first + row_capacity,
            first + 2 * row_capacity,
            first + 3 * row_capacity,
            first + 4 * row_capacity,
            first + 5 * row_capacity};
}

// What later kernels need of a token; written by the embedding kernel.
struct TokenPlace {
    int position; // in its sequence
    int slot;     // request slot: row of the page table
};

} // namespace ernie
