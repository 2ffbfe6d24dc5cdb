// The working warps: products of the block's rows and attention to the tiles of its cluster's head. They wait for vectors in shared memory,
// leave sums there, and never look at other blocks.
#pragma once
#include "ernie/persistent/context.cuh"

namespace ernie {

template <class Spec>
struct Worker {
    using Of = Layout<Spec>;
    using Tiles = PastTiles<Spec>;

    const Context<Spec>& context;
    WeightReader<Spec> stream;
    TilePlaces places = {0, 0, nullptr};

    __device__ __forceinline__ unsigned buffers() const { return context.base + Of::kTiles + context.warp * Tiles::kBytes; }

    __device__ __forceinline__ void begin() {
        if (!context.attends) return;
        const int tiles = context.tiles(), count = (tiles - context.warp + Of::kWarps - 1) / Of::kWarps;
        int* sources = reinterpret_cast<int*>(context.shared + Of::kSources) + context.warp * Spec::kWarpTiles;
        const auto first_key = [&](int index) { return ((index * Of::kWarps + context.warp) * Spec::kClusterBlocks + context.rank) * kTileKeys; };
        for (int i = context.lane; i < count; i += 32) sources[i] = context.place(context.key_value_head(), first_key(i));
        __syncwarp();
        places = {count, min(kTileKeys, context.position - first_key(count - 1)), sources};
        Tiles::copy_first(buffers(), places, context.layer(0).keys, context.layer(0).values);
    }

    template <int kMatrix>
    __device__ __forceinline__ void wait_for_vector(int index) {
        context.wait(Of::kVectorBarrier + kMatrix % 2 * 8, kMatrix / 2, 10 + kMatrix);
        context.mark(index, kWorkerMark + 2 * kMatrix);
    }

    // One of a layer's matrices. Vectors take turns with two buffers, each used twice a layer.
    template <class P, int kMatrix>
    __device__ __forceinline__ void multiply(int index) {
        const int rows = context.rows(kMatrix).count;
        if (rows > 0) {
            P product(stream, rows);
            product.load();
            wait_for_vector<kMatrix>(index);
            product.multiply(context.base + Of::kVectors + kMatrix % 2 * (Of::kMostInputs * 2), context.partial(kMatrix % 2, context.warp));
        } else {
            // Whoever has nothing to multiply must not come to the barrier before the communicating warp has passed its last use.
            wait_for_vector<kMatrix>(index);
        }
        announce<Of::kProductsReady, Of::kThreadsOfExchange>();
        context.mark(index, kWorkerMark + 2 * kMatrix + 1);
    }

    __device__ __forceinline__ void attend(int index) {
        context.wait(Of::kQueryBarrier, index & 1, 14);
        const PersistentLayer& layer = context.layer(index);
        if (places.count > 0) Tiles::attend(buffers(), places, layer.keys, layer.values, context.base + Of::kQuery, context.past(context.warp));
        meet<Of::kTilesReady, Of::kThreadsOfExchange>();
        if (index + 1 < Spec::kLayers) Tiles::copy_first(buffers(), places, context.layer(index + 1).keys, context.layer(index + 1).values);
        merge();
        context.mark(index, kWorkerMark + 8);
    }

    // The block's tiles, and in the last rank the token itself, become one result per head. Each warp merges the part that one block of the
    // cluster is to merge in turn, a value to a lane.
    __device__ __forceinline__ void merge() {
        const int value = context.warp * Of::kQueryRows + context.lane % Of::kQueryRows;
        const float* pasts = context.past(0) + value / Spec::kHeadSize * Tiles::kStride;
        const int tiles = min(context.tiles(), Of::kWarps), own = context.has_token() ? Of::kWarps : -1;
        float2 weights[Of::kWarps + 1];
        float values[Of::kWarps + 1], maximum = kLowest, sum = 0, total = 0;
#pragma unroll
        for (int i = 0; i <= Of::kWarps; i++) {
            const float* past = pasts + i * (Spec::kClusterHeads * Tiles::kStride);
            weights[i] = *reinterpret_cast<const float2*>(past + Spec::kHeadSize);
            values[i] = past[value % Spec::kHeadSize];
        }
#pragma unroll
        for (int i = 0; i <= Of::kWarps; i++)
            if (i < tiles || i == own) maximum = fmaxf(maximum, weights[i].x);
#pragma unroll
        for (int i = 0; i <= Of::kWarps; i++) {
            // What is not there has no weight, and may be anything.
            const bool counts = i < tiles || i == own;
            const float factor = counts ? exp2_fast(weights[i].x - maximum) : 0;
            total += counts ? factor * values[i] : 0;
            sum += counts ? factor * weights[i].y : 0;
        }
        static_assert(Of::kWarps == Of::kRanks, "a warp per block of the cluster");
        const unsigned barrier = address_in_block(context.base + Of::kMergeBarrier, context.warp);
        if (context.lane < Of::kQueryRows) send(address_in_block(context.base + Of::kMerged + (context.rank * Of::kQueryRows + context.lane) * 4, context.warp), total, barrier);
        if (context.lane == 0)
            send(address_in_block(context.base + Of::kMergedWeights + context.rank * 8, context.warp), uint2{__float_as_uint(maximum), __float_as_uint(sum)}, barrier);
    }

    __device__ __forceinline__ void run() {
        begin();
#pragma unroll 1
        for (int index = 0; index < Spec::kLayers; index++) {
            multiply<typename Of::QkvProduct, 0>(index);
            if (context.attends) attend(index);
            multiply<typename Of::OutputProduct, 1>(index);
            multiply<typename Of::GateUpProduct, 2>(index);
            multiply<typename Of::DownProduct, 3>(index);
        }
        run_head();
    }

    __device__ __forceinline__ void run_head() {
        const int rows = context.rows(4).count;
#pragma unroll 1
        for (int first = 0; first < rows; first += Of::kHeadPieceRows) {
            typename Of::HeadProduct product(stream, min(Of::kHeadPieceRows, rows - first));
            product.load();
            if (first == 0) context.wait(Of::kVectorBarrier, 0, 15);
            product.multiply(context.base + Of::kVectors, context.partial(first / Of::kHeadPieceRows & 1, context.warp));
            meet<Of::kPieceReady, Of::kThreadsOfExchange>();
        }
    }
};

} // namespace ernie
