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
    Bf16* keys;                  // [pages, kv heads, tokens per page, head size], this layer's
    Bf16* values;                // like keys
    const float2* rotations;     // [positions, head size / 2] cosine, sine
    const TokenPlace* places;    // [tokens]
    const int* page_table;       // [slots, pages_per_slot]
    int pages_per_slot;
    int output_stride;           // kLogits: floats between rows
    // kResidual: f32 [tokens, outputs], added to. kLogits: f32 [rows, outputs]
    float* output;
    // kSwiglu: [tokens, outputs / 2]
    Bf16* activation;
};

template <class Spec>
__device__ __forceinline__ void store_pair(const EpilogueArgs& args, int token, int n, float first, float second) {
    if constexpr (Spec::kEpilogue == Epilogue::kResidual) {
        float2* target = reinterpret_cast<float2*>(args.output + static_cast<size_t>(token) * Spec::kOutputs + n);
        float2 old = *target;
        *target = {old.x + first, old.y + second};
    } else if constexpr (Spec::kEpilogue == Epilogue::kLogits) {
        *reinterpret_cast<float2*>(args.output + static_cast<size_t>(token) * args.output_stride + n) = {first, second};
    } else if constexpr (Spec::kEpilogue == Epilogue::kSwiglu) {
        float gated = first / (1.0f + __expf(-first)) * second;
        unsigned pair = pack_bf16(gated, 0.0f);
        args.activation[static_cast<size_t>(token) * (Spec::kOutputs / 2) + n / 2] = {static_cast<unsigned short>(pair)};
    } else {
        constexpr int kQueryWidth = Spec::kHeads * Spec::kHeadSize;
        constexpr int kKeyWidth = Spec::kKeyValueHeads * Spec::kHeadSize;
        TokenPlace place = args.places[token];
        int dimension = n % Spec::kHeadSize;
        if (n < kQueryWidth + kKeyWidth) {
            // RoFormer's rotation of interleaved pairs (2i, 2i + 1).
            float2 rotation = args.rotations[static_cast<size_t>(place.position) * (Spec::kHeadSize / 2) + dimension / 2];
            float rotated = first * rotation.x - second * rotation.y;
            second = second * rotation.x + first * rotation.y;
            first = rotated;
        }
        unsigned pair = pack_bf16(first, second);
        if (n < kQueryWidth) {
            *reinterpret_cast<unsigned*>(args.query + static_cast<size_t>(token) * kQueryWidth + n) = pair;
            return;
        }
        bool is_key = n < kQueryWidth + kKeyWidth;
        int head = (n - (is_key ? kQueryWidth : kQueryWidth + kKeyWidth)) / Spec::kHeadSize;
        int page = args.page_table[static_cast<size_t>(place.slot) * args.pages_per_slot + place.position / Spec::kTokensPerPage];
        size_t row = (static_cast<size_t>(page) * Spec::kKeyValueHeads + head) * Spec::kTokensPerPage + place.position % Spec::kTokensPerPage;
        Bf16* cache = is_key ? args.keys : args.values;
        *reinterpret_cast<unsigned*>(cache + row * Spec::kHeadSize + dimension) = pair;
    }
}

} // namespace ernie
