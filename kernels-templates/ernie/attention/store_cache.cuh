// Puts a step's keys and values into a cache of 8-bit elements: a factor per token and head needs the largest of a head's 128 values,
// which the projection computes in several blocks, so it leaves bf16 rows and this kernel follows it. Steps that only decode do
// without: there the attention kernel itself puts away the one new token that it reads.
//   launch   grid (tokens); a warp per kv head of keys, then of values
#pragma once
#include "ernie/attention/cache.cuh"
#include "ernie/common/step.cuh"

namespace ernie {

struct StoreCacheArgs {
    const Bf16* keys;           // [tokens, kv heads * head size], rotated
    const Bf16* values;
    unsigned* key_pages;        // this layer's; see cache.cuh
    unsigned* value_pages;
    float* key_scales;
    float* value_scales;
    const TokenPlace* places;   // [tokens]
    const int* page_table;      // [slots, pages_per_slot]
    const int* token_count;
    int pages_per_slot;
};

template <class Spec>
__device__ void store_cache(const StoreCacheArgs& args) {
    static_assert(Spec::kHeadSize == 128 && Spec::kThreads == 64 * Spec::kKeyValueHeads, "four values a lane, a warp per head");
    const int token = blockIdx.x, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int head = warp % Spec::kKeyValueHeads;
    const bool is_key = warp < Spec::kKeyValueHeads;
    allow_next_kernel();
    wait_for_previous_kernel();
    if (token >= *args.token_count) return;

    const TokenPlace place = args.places[token];
    const int page = args.page_table[static_cast<size_t>(place.slot) * args.pages_per_slot + place.position / Spec::kTokensPerPage];
    const Bf16* row = (is_key ? args.keys : args.values) + (static_cast<size_t>(token) * Spec::kKeyValueHeads + head) * Spec::kHeadSize;
    const uint2 words = reinterpret_cast<const uint2*>(row)[lane];
    const QuantizedHead quantized = quantize_head<Spec::kCache>(words);
    const size_t target = (static_cast<size_t>(page) * Spec::kKeyValueHeads + head) * Spec::kTokensPerPage + place.position % Spec::kTokensPerPage;
    (is_key ? args.key_pages : args.value_pages)[target * (Spec::kHeadSize / 4) + lane] = quantized.codes;
    if (lane == 0) (is_key ? args.key_scales : args.value_scales)[target] = quantized.scale;
}

} // namespace ernie
