// Merging of decode attention's results over the blocks of a cluster, through distributed shared memory, and over clusters of a row.
#pragma once
#include "ernie/attention/decode_merge.cuh"
#include "ernie/attention/decode_walk.cuh"
#include "ernie/common/hopper.cuh"

namespace ernie {

__device__ __forceinline__ float load_cluster_value(unsigned address) {
    float value;
    asm volatile("ld.shared::cluster.f32 %0, [%1];" : "=f"(value) : "r"(address) : "memory");
    return value;
}

// results: of this block's warps, [warps][heads per kv head]; block_results: memory of the block for theirs, no longer read by any warp.
template <class Spec>
__device__ __forceinline__ void merge_cluster(const AttentionArgs& args, const PageWalk<Spec>& walk, int share_count, float* results, float* block_results, int merge_head,
                                              int merge_index) {
    constexpr int kCluster = Spec::kClusterBlocks, kWarps = Spec::kThreads / 32, kGroup = Spec::kHeads / Spec::kKeyValueHeads;
    if (merge_head < kGroup) {
        MergedHead merged = merge_parts<true>(results + merge_head * kPartialStride, kWarps, kGroup * kPartialStride, merge_index);
        store_part(merged, block_results + merge_head * kPartialStride, merge_index);
    }
    synchronize_cluster();
    const int rank = blockIdx.x % kCluster, cluster = blockIdx.x / kCluster, value = threadIdx.x;
    for (int head = rank; head < kGroup; head += kCluster) {
        const unsigned source = shared_address(block_results + head * kPartialStride);
        float maxima[kCluster], sums[kCluster], values[kCluster];
#pragma unroll
        for (int block = 0; block < kCluster; block++) {
            const unsigned there = address_in_block(source, block);
            const float2 pair = load_cluster(there + 128 * 4);
            maxima[block] = pair.x;
            sums[block] = pair.y;
            values[block] = load_cluster_value(there + value * 4);
        }
        float maximum = maxima[0], sum = 0, result = 0;
#pragma unroll
        for (int block = 1; block < kCluster; block++) maximum = fmaxf(maximum, maxima[block]);
#pragma unroll
        for (int block = 0; block < kCluster; block++) {
            float factor = exp2_fast(maxima[block] - maximum);
            sum += factor * sums[block];
            result += factor * values[block];
        }

        const int query_head = walk.head * kGroup + head;
        Bf16* output = args.output + (static_cast<size_t>(walk.token) * Spec::kHeads + query_head) * Spec::kHeadSize;
        if (share_count > 1) {
            const size_t part_step = kPartialStride, first_part = (static_cast<size_t>(walk.row) * Spec::kHeads + query_head) * (gridDim.x / kCluster);
            float* part = args.partials + (first_part + cluster) * part_step;
            part[value] = result;
            if (value == 0) {
                part[128] = maximum;
                part[129] = sum;
            }
            __threadfence();
            __syncthreads();
            int* is_last = reinterpret_cast<int*>(results + 130);
            if (value == 0) {
                int* arrivals = args.arrivals + walk.row * Spec::kHeads + query_head;
                *is_last = atomicAdd(arrivals, 1) == share_count - 1;
                if (*is_last) *arrivals = 0;
            }
            __syncthreads();
            const bool merges = *is_last;
            __syncthreads();
            if (!merges) continue;

            __threadfence();
            const float* first = args.partials + first_part * part_step;
            maximum = kLowest;
            for (int i = 0; i < share_count; i++) maximum = fmaxf(maximum, __ldcg(first + i * part_step + 128));
            sum = result = 0;
            for (int i = 0; i < share_count; i++) {
                float factor = exp2_fast(__ldcg(first + i * part_step + 128) - maximum);
                sum += factor * __ldcg(first + i * part_step + 129);
                result += factor * __ldcg(first + i * part_step + value);
            }
        }
        output[value] = {static_cast<unsigned short>(pack_bf16(result / sum, 0))};
    }
    synchronize_cluster(); // no block may end while another reads its results
}

} // namespace ernie
