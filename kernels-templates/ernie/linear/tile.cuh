// How the tiled kernels lay rows out in shared memory.
#pragma once

namespace ernie {

// Piece p (16 bytes) of a row of kPieces, in pieces from the start of the tile. Rows of 128 bytes: the halves of odd rows are swapped, so
// that eight lanes reading 64 bytes of two rows touch every bank once.
template <int kPieces>
__device__ __forceinline__ int swizzled(int row, int piece) {
    if constexpr (kPieces >= 8) return row * kPieces + (piece ^ ((row & 1) << 2));
    // Rows of 64 bytes: two neighbours fill the banks as they are.
    return row * kPieces + piece;
}

} // namespace ernie
