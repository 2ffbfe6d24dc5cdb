// What happens to a linear's outputs. Both matrix kernels end with a lane holding outputs n and n + 1 (n even) of one token,
// which is what every epilogue needs: a rotary pair, or a gate beside its up (their rows are interleaved when packed).
#pragma once
#include "ernie/common/device.cuh"
#include "ernie/common/step.cuh"

namespace ernie {

enum class Epilogue { kQkv, kResidual, kSwiglu, kLogits };

struct EpilogueArgs {
    // kQkv
    Bf16* query;                 // [tokens, heads * head size]
    Bf16* keys;                  // [pages, kv heads, tokens per page, head size], this layer's; without a page table [tokens, kv heads, head size]
    Bf16* values;                // like keys
    const float2* rotations;     // [positions, head size / 2] cosine, sine
    const TokenPlace* places;    // [tokens]
    const int* page_table;       // [slots, pages_per_slot]; null when another kernel puts keys and values into the cache
    int pages_per_slot;
    int output_stride;           // kLogits: floats between rows
    // kResidual: f32 [tokens, outputs], added to. kLogits: f32 [rows, outputs]
    float* output;
    // kSwiglu: [tokens, outputs / 2]
    Bf16* activation;
};

// What the outputs n and n + 1 of a token need beside the sums: read early, so that the reads overlap the product.
struct PairTarget {
    void* address;
    float2 other; // kResidual: what is added to. kQkv: cosine and sine; 1 and 0 for values
};

// Where a token is in its sequence and in the cache; kernels with many pairs of a token find it once.
struct CachePlace {
    int position;
    int row; // of the cache, seen as [pages * kv heads * tokens per page, head size], for kv head 0, where a page was asked for; without a
             // page table of [tokens * kv heads, head size]
};

template <class Spec>
__device__ __forceinline__ CachePlace cache_place(const EpilogueArgs& args, int token, bool needs_page) {
    TokenPlace place = args.places[token];
    if (!needs_page) return {place.position, 0};
    if (args.page_table == nullptr) return {place.position, token * Spec::kKeyValueHeads};
    int page = args.page_table[static_cast<size_t>(place.slot) * args.pages_per_slot + place.position / Spec::kTokensPerPage];
    return {place.position, page * Spec::kKeyValueHeads * Spec::kTokensPerPage + place.position % Spec::kTokensPerPage};
}

// kQkv, outputs n and n + 1.
template <class Spec>
__device__ __forceinline__ PairTarget pair_target(const EpilogueArgs& args, int token, int n, CachePlace place) {
    constexpr int kQueryWidth = Spec::kHeads * Spec::kHeadSize;
    constexpr int kKeyWidth = Spec::kKeyValueHeads * Spec::kHeadSize;
    int dimension = n % Spec::kHeadSize;
    float2 rotation = {1, 0};
    if (n < kQueryWidth + kKeyWidth)
        rotation = args.rotations[static_cast<size_t>(place.position) * (Spec::kHeadSize / 2) + dimension / 2];
    if (n < kQueryWidth) return {args.query + static_cast<size_t>(token) * kQueryWidth + n, rotation};

    bool is_key = n < kQueryWidth + kKeyWidth;
    int head = (n - (is_key ? kQueryWidth : kQueryWidth + kKeyWidth)) / Spec::kHeadSize;
    size_t row = static_cast<size_t>(place.row) + head * (args.page_table == nullptr ? 1 : Spec::kTokensPerPage);
    return {(is_key ? args.keys : args.values) + row * Spec::kHeadSize + dimension, rotation};
}

template <class Spec>
__device__ __forceinline__ PairTarget pair_target(const EpilogueArgs& args, int token, int n) {
    if constexpr (Spec::kEpilogue == Epilogue::kResidual) {
        float2* target = reinterpret_cast<float2*>(args.output + static_cast<size_t>(token) * Spec::kOutputs + n);
        return {target, *target};
    } else if constexpr (Spec::kEpilogue == Epilogue::kLogits) {
        return {args.output + static_cast<size_t>(token) * args.output_stride + n, {}};
    } else if constexpr (Spec::kEpilogue == Epilogue::kSwiglu) {
        return {args.activation + static_cast<size_t>(token) * (Spec::kOutputs / 2) + n / 2, {}};
    } else {
        return pair_target<Spec>(args, token, n, cache_place<Spec>(args, token, n >= Spec::kHeads * Spec::kHeadSize));
    }
}

template <class Spec>
__device__ __forceinline__ void store_pair(const PairTarget& target, float first, float second) {
    if constexpr (Spec::kEpilogue == Epilogue::kResidual) {
        *static_cast<float2*>(target.address) = {target.other.x + first, target.other.y + second};
    } else if constexpr (Spec::kEpilogue == Epilogue::kLogits) {
        *static_cast<float2*>(target.address) = {first, second};
    } else if constexpr (Spec::kEpilogue == Epilogue::kSwiglu) {
        unsigned pair = pack_bf16(first / (1.0f + __expf(-first)) * second, 0.0f);
        *static_cast<unsigned short*>(target.address) = static_cast<unsigned short>(pair);
    } else {
        // RoFormer's rotation of interleaved pairs (2i, 2i + 1).
        float2 rotation = target.other;
        *static_cast<unsigned*>(target.address) =
            pack_bf16(first * rotation.x - second * rotation.y, second * rotation.x + first * rotation.y);
    }
}

template <class Spec>
__device__ __forceinline__ void store_pair(const EpilogueArgs& args, int token, int n, float first, float second) {
    store_pair<Spec>(pair_target<Spec>(args, token, n), first, second);
}

} // namespace ernie
