// A block's place in the step: its rank and its cluster, the token, and where things are that several kinds of warps use.
#pragma once
#include "ernie/persistent/layout.cuh"

namespace ernie {

// What a warp of either kind knows of the step.
template <class Spec>
struct Context {
    const PersistentArgs& args;
    char* shared;
    unsigned base; // the same as a shared address
    int cluster, rank, warp, lane;
    int slot, position, token;
    bool attends;
    unsigned tag;  // of the layer before the first

    __device__ __forceinline__ Context(const PersistentArgs& arguments, char* memory) : args(arguments), shared(memory), base(shared_address(memory)) {
        cluster = static_cast<int>(blockIdx.x) / Spec::kClusterBlocks;
        rank = static_cast<int>(blockIdx.x) % Spec::kClusterBlocks;
        warp = threadIdx.x / 32;
        lane = threadIdx.x % 32;
        attends = cluster < Layout<Spec>::kQueryClusters;
    }

    __device__ __forceinline__ Rows rows(int matrix) const { return Layout<Spec>::rows(static_cast<int>(blockIdx.x), matrix); }

    __device__ __forceinline__ void read_step() {
        const StepHeader header = *args.header;
        const StepRows rows = step_rows(args.header, args.row_capacity);
        slot = rows.slot[0];
        position = rows.start[0];
        token = header.tokens_on_device ? -1 : reinterpret_cast<const int2*>(reinterpret_cast<const int*>(args.header) + header.tokens_offset)[0].x;
        tag = header.sequence * (Spec::kLayers + 1);
    }

    __device__ __forceinline__ const PersistentLayer& layer(int index) const {
        return reinterpret_cast<const PersistentLayer*>(shared + Layout<Spec>::kLayers)[index];
    }

    __device__ __forceinline__ int key_value_head() const { return cluster * Spec::kClusterHeads / (Spec::kHeads / Spec::kKeyValueHeads); }

    // Page of a position. Another block may put the step's changes into the table before or after this: they are looked through here.
    __device__ __forceinline__ int page(int of_position) const {
        const int index = slot * args.pages_per_slot + of_position / Spec::kTokensPerPage;
        const int2* updates = reinterpret_cast<const int2*>(reinterpret_cast<const int*>(args.header) + args.header->updates_offset);
        int found = args.page_table[index];
#pragma unroll 1
        for (int i = 0; i < args.header->update_count; i++)
            if (updates[i].x == index) found = updates[i].y;
        return found;
    }

    // Where a position's key or value lies in a layer's pages, in keys from the first.
    __device__ __forceinline__ int place(int head, int of_position) const {
        return (page(of_position) * Spec::kKeyValueHeads + head) * Spec::kTokensPerPage + of_position % Spec::kTokensPerPage;
    }

    __device__ __forceinline__ float* partial(int buffer, int of_warp) const {
        return reinterpret_cast<float*>(shared + Layout<Spec>::kPartials) + (buffer * Layout<Spec>::kWarps + of_warp) * kPieceRows;
    }

    __device__ __forceinline__ float* past(int of_warp) const {
        return reinterpret_cast<float*>(shared + Layout<Spec>::kPasts) + of_warp * (Spec::kClusterHeads * PastTiles<Spec>::kStride);
    }

    // Tiles of earlier keys of this block; tiles go to the ranks in turn, and a rank's to its warps in turn.
    __device__ __forceinline__ int tiles() const {
        const int all = (position + kTileKeys - 1) / kTileKeys;
        return (all - rank + Spec::kClusterBlocks - 1) / Spec::kClusterBlocks;
    }

    // Whether this block attends to the token itself.
    __device__ __forceinline__ bool has_token() const { return rank == Spec::kClusterBlocks - 1; }

    __device__ __forceinline__ void wait(unsigned barrier, unsigned parity, int place) const { barrier_wait(base + barrier, parity, args.note, place); }

    __device__ __forceinline__ void mark(int index, int number) const {
        if constexpr (Spec::kTrace) {
            if (lane == 0) args.trace[blockIdx.x * Spec::kMarks + index * kMarksPerLayer + number] = clock_now();
        }
    }
};

} // namespace ernie
