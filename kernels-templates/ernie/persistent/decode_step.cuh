// One decoding step of one sequence, from the token's embedding to its logits, in one launch.
//   launch   clusters of eight blocks, all running at the same time; Spec::kThreads threads: working warps (worker.cuh), a
//            communicating warp (communicator.cuh), and a warp whose first lane copies weights (weight_stream.cuh)
//   layer    query, key and value rows -> attention, within clusters -> output rows -> gate and up rows -> down rows. Between two
//            products a vector goes from all blocks to all blocks (exchange.cuh): four times a layer
#pragma once
#include "ernie/persistent/communicator.cuh"
#include "ernie/persistent/worker.cuh"

namespace ernie {

// The copying thread's whole life.
template <class Spec>
__device__ __forceinline__ void copy_weights(const Context<Spec>& context, Ring<Spec> ring) {
    using Of = Layout<Spec>;
    WeightWriter<Spec> writer{ring};
    // Scales of groups are packed block by block, so that a block's begin where as many rows begin.
#pragma unroll 1
    for (int index = 0; index < Spec::kLayers; index++) {
        const PersistentLayer& layer = context.layer(index);
#pragma unroll 1
        for (int matrix = 0; matrix < 4; matrix++) {
            const Rows rows = context.rows(matrix);
            const int inputs = Of::inputs(matrix), row_bytes = Of::Layers::row_bytes(inputs), scale_bytes = Of::Layers::scale_bytes(inputs, 1);
            if (rows.count == 0) continue;
            if (scale_bytes > 0) writer.copy_scales(reinterpret_cast<const char*>(layer.scales[matrix]) + static_cast<size_t>(rows.first) * scale_bytes, rows.count * scale_bytes);
            writer.copy(layer.weights[matrix] + static_cast<size_t>(rows.first) * row_bytes, rows.count * row_bytes);
        }
    }
    const Rows all = context.rows(4);
    constexpr int kRowBytes = Of::Head::row_bytes(Spec::kHidden), kScaleBytes = Of::Head::scale_bytes(Spec::kHidden, 1);
#pragma unroll 1
    for (int first = 0; first < all.count; first += Of::kHeadPieceRows) {
        const size_t row = all.first + first;
        const int rows = min(Of::kHeadPieceRows, all.count - first);
        if (kScaleBytes > 0) writer.copy_scales(reinterpret_cast<const char*>(context.args.head_scales) + row * kScaleBytes, rows * kScaleBytes);
        writer.copy(context.args.head + row * kRowBytes, rows * kRowBytes);
    }
}

// Barriers, the table of the layers; then the cluster's blocks may send to each other.
template <class Spec>
__device__ __forceinline__ Ring<Spec> initialize(const Context<Spec>& context) {
    using Of = Layout<Spec>;
    const Ring<Spec> ring = {context.base, context.base + Of::kRingBarriers, context.base + Of::kScales, context.args.note};
    if (threadIdx.x == 0) {
#pragma unroll 1
        for (int i = 0; i < Spec::kRingChunks + Of::kScaleSlots; i++) {
            const bool is_scale = i >= Spec::kRingChunks;
            const unsigned full = is_scale ? ring.scale_full(i - Spec::kRingChunks) : ring.full(i);
            initialize_barrier(full, 1);
            initialize_barrier(full + (is_scale ? Of::kScaleSlots : Spec::kRingChunks) * 8, Of::kWarps);
        }
#pragma unroll 1
        for (unsigned barrier = Of::kVectorBarrier; barrier < Of::kBytes; barrier += 8) initialize_barrier(context.base + barrier, 1);
        publish_barriers();
        fence_copies();
    }
    const int* from = reinterpret_cast<const int*>(context.args.layers);
    int* to = reinterpret_cast<int*>(context.shared + Of::kLayers);
    for (int i = threadIdx.x; i < Spec::kLayers * static_cast<int>(sizeof(PersistentLayer) / 4); i += Spec::kThreads) to[i] = from[i];
    __syncthreads();
    return ring;
}

template <class Spec>
__device__ void decode_step(const PersistentArgs& args) {
    extern __shared__ uint4 shared_memory[];
    Context<Spec> context(args, reinterpret_cast<char*>(shared_memory));
    const Ring<Spec> ring = initialize(context);
    constexpr int kWorkers = Layout<Spec>::kWorkers;
    cluster_announce();
    if (threadIdx.x >= kWorkers + 32) {
        if (threadIdx.x == kWorkers + 32) copy_weights(context, ring);
        return;
    }
    cluster_wait();
    wait_for_previous_kernel();
    context.read_step();
    if (threadIdx.x < kWorkers) {
        Worker<Spec> worker{context, {ring}};
        worker.run();
    } else {
        Communicator<Spec> communicator{context};
        communicator.run();
    }
}

} // namespace ernie
