// The new token's key and value in a tile of decode attention that was copied before they were there.
#pragma once
#include "ernie/attention/decode_state.cuh"

namespace ernie {

// place: of the token among all pages' tokens of the layer.
template <class Spec>
__device__ __forceinline__ void copy_new_token(const AttentionArgs& args, unsigned tile, int place, int lane) {
    constexpr CacheFormat kFormat = Spec::kCache;
    const int key = place % kDecodeKeys, piece = lane % kPieces<kFormat>;
    const size_t source = static_cast<size_t>(place) * kPieces<kFormat> + piece;
    if (lane < kPieces<kFormat>)
        copy_async(tile + key_piece<kFormat>(key, piece) * 16, static_cast<const uint4*>(args.keys) + source, true);
    else if (lane < 2 * kPieces<kFormat>)
        copy_async(tile + kTileHalf<kFormat> + value_piece<kFormat>(key, piece) * 16, static_cast<const uint4*>(args.values) + source, true);
    if constexpr (kFormat != CacheFormat::kBfloat16) {
        if (lane >= 30)
            copy_async_word(tile + 2 * kTileHalf<kFormat> + ((lane - 30) * kDecodeKeys + key) * 4,
                            (lane == 30 ? args.key_scales : args.value_scales) + place, true);
    }
}

} // namespace ernie
