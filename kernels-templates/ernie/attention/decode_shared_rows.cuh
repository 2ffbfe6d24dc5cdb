// Rows of which several blocks of decode attention have a part each: where the parts are kept, and which block merges them.
#pragma once
#include "ernie/attention/common.cuh"

namespace ernie {

// A row and kv head of which a block has only a part of the pages.
struct SharedRow {
    int row_head;    // first query head among all rows' heads, or -1
    int output_head; // the same among all tokens' heads
    int first_block, last_block;
};

// Where a block keeps its part of a head. It has at most two: one of a row that it did not begin, one of a row that it does not end.
template <int kGroup>
__device__ __forceinline__ float* part_of(const AttentionArgs& args, int block, bool begins, int head) {
    return args.partials + (static_cast<size_t>(2 * block + begins) * kGroup + head) * kPartialStride;
}

// Counts this block's parts, and says for each whether it is the row's last to arrive. is_last: two ints of shared memory.
__device__ __forceinline__ void arrive(const AttentionArgs& args, const SharedRow& ended, const SharedRow& begun, int* is_last) {
    if (threadIdx.x < 2) {
        const SharedRow part = threadIdx.x == 0 ? ended : begun;
        bool last = false;
        if (part.row_head >= 0) {
            last = atomicAdd(args.arrivals + part.row_head, 1) == part.last_block - part.first_block;
            if (last) args.arrivals[part.row_head] = 0;
        }
        is_last[threadIdx.x] = last;
    }
}

} // namespace ernie
