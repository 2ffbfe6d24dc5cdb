// Shared by the attention kernels.
#pragma once
#include "ernie/attention/cache.cuh"
#include "ernie/common/step.cuh"

namespace ernie {

struct AttentionArgs {
    const Bf16* query;          // [tokens, heads * head size]
    void* keys;                 // this layer's; see cache.cuh
    void* values;
    float* key_scales;          // 8-bit formats
    float* value_scales;
    const Bf16* new_keys;       // decode, 8-bit formats: [tokens, kv heads * head size] still to be put into the cache; null when they are there
    const Bf16* new_values;
    const int* page_table;      // [slots, pages_per_slot]
    Bf16* output;               // [tokens, heads * head size]
    StepHeader* header;
    const int2* tiles;          // prefill: [tile] row of the batch, first token of the tile within the row
    float* partials;            // decode: results of parts of a row, [part, heads per kv head, kPartialStride]
    int* arrivals;              // decode: [rows, heads], zero between launches
    int pages_per_slot;
    int row_capacity;
    int decode_rows;            // decode: rows of one token that the launch is for, at the front of the batch
};

// A head's outputs over a part of the keys, their maximum and sum, and what spreads rows over banks.
inline constexpr int kPartialStride = 132;

inline constexpr float kLowest = -1e30f; // score of a key that may not be seen

} // namespace ernie
