// Which rows of a weight each block of the persistent kernel has. Ernie.Kernels' PersistentShares says the same.
#pragma once

namespace ernie {

// Rows of a block.
struct Rows {
    int first, count;
};

// How a matrix's rows are shared out, eight together. Blocks of the first clusters have queries to compute, and the least of the other
// matrices; the rest is spread over the blocks of the others.
template <class Spec>
struct Share {
    static constexpr int kBlocks = Spec::kClusterBlocks * Spec::kClusters;
    static constexpr int kQueryBlocks = Spec::kClusterBlocks * (Spec::kHeads / Spec::kClusterHeads), kOtherBlocks = kBlocks - kQueryBlocks;
    static_assert(kOtherBlocks > 0, "a cluster for keys and values");

    static __device__ constexpr int least(int rows) { return rows / 8 / kBlocks; }
    static __device__ constexpr int most(int rows) { return max(least(rows), (rows / 8 - kQueryBlocks * least(rows) + kOtherBlocks - 1) / kOtherBlocks) * 8; }

    // late: which of two orders; matrices of both kinds do not have their larger shares in the same blocks.
    static __device__ __forceinline__ Rows of(int block, int rows, bool late) {
        const int low = least(rows);
        if (block < kQueryBlocks) return {block * low * 8, low * 8};
        const Rows more = spread(rows / 8 - kQueryBlocks * low, block, late);
        return {(kQueryBlocks * low + more.first) * 8, more.count * 8};
    }

    // A block's share of eights that the blocks without queries have alone; in eights.
    static __device__ __forceinline__ Rows spread(int eights, int block, bool late) {
        const int index = block - kQueryBlocks, rounding = late ? kOtherBlocks - 1 : 0;
        const int first = (eights * index + rounding) / kOtherBlocks, end = (eights * (index + 1) + rounding) / kOtherBlocks;
        return {first, end - first};
    }

    static __device__ constexpr int max(int a, int b) { return a > b ? a : b; }
};

} // namespace ernie
