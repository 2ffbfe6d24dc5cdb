// Hardware that only the persistent kernel uses: waits that end, stores into the shared memory of another block of the cluster, words that
// other blocks poll, barriers of some of a block's warps. One wrapper each; sm_90 and later.
#pragma once
#include "ernie/common/hopper.cuh"

namespace ernie {

// Watches a loop that waits. When it has tried for seconds, far longer than any step, it leaves a note in mapped memory (which wait, and
// which block) and ends the launch with an error. Kept small: there are many waits, and instructions are read from memory too.
struct Watchdog {
    unsigned tries = 0;

    __device__ __forceinline__ void look(volatile int* note, int place) {
        if (++tries < 1u << 22) return;
        *note = place << 16 | static_cast<int>(blockIdx.x);
        __threadfence_system();
        asm volatile("trap;");
    }
};

// Orders what threads did in shared memory before the copy engine's writes to it.
__device__ __forceinline__ void fence_copies() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

__device__ __forceinline__ void barrier_wait(unsigned barrier, unsigned parity, volatile int* note, int place) {
    Watchdog watchdog;
#pragma unroll 1
    while (!is_over(barrier, parity)) watchdog.look(note, place);
}

// The barrier of all threads of all blocks of the cluster.
__device__ __forceinline__ void cluster_announce() { asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory"); }
__device__ __forceinline__ void cluster_wait() { asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory"); }

// Stores into another block's shared memory; the barrier, of that block too, counts the bytes.
__device__ __forceinline__ void send(unsigned target, uint4 value, unsigned barrier) {
    asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [%0], {%1, %2, %3, %4}, [%5];" ::"r"(target), "r"(value.x), "r"(value.y),
                 "r"(value.z), "r"(value.w), "r"(barrier)
                 : "memory");
}

__device__ __forceinline__ void send(unsigned target, uint2 value, unsigned barrier) {
    asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.b32 [%0], {%1, %2}, [%3];" ::"r"(target), "r"(value.x), "r"(value.y), "r"(barrier)
                 : "memory");
}

__device__ __forceinline__ void send(unsigned target, float value, unsigned barrier) {
    asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.b32 [%0], %1, [%2];" ::"r"(target), "r"(__float_as_uint(value)), "r"(barrier) : "memory");
}

// Two words of 64 bits, each read whole.
__device__ __forceinline__ ulonglong2 load_words(const ulonglong2* source) {
    ulonglong2 value;
    asm volatile("ld.relaxed.gpu.global.v2.u64 {%0, %1}, [%2];" : "=l"(value.x), "=l"(value.y) : "l"(source) : "memory");
    return value;
}

__device__ __forceinline__ void store_words(ulonglong2* target, ulonglong2 value) {
    asm volatile("st.relaxed.gpu.global.v2.u64 [%0], {%1, %2};" ::"l"(target), "l"(value.x), "l"(value.y) : "memory");
}

__device__ __forceinline__ void store_word(unsigned long long* target, unsigned long long value) {
    asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(target), "l"(value) : "memory");
}

// A barrier of kThreads of the block's threads: one that waits, and one that only says that it has come.
template <int kBarrier, int kThreads>
__device__ __forceinline__ void meet() {
    asm volatile("barrier.cta.sync.aligned %0, %1;" ::"n"(kBarrier), "n"(kThreads) : "memory");
}

template <int kBarrier, int kThreads>
__device__ __forceinline__ void announce() {
    asm volatile("barrier.cta.arrive.aligned %0, %1;" ::"n"(kBarrier), "n"(kThreads) : "memory");
}

__device__ __forceinline__ unsigned clock_now() {
    unsigned value;
    asm volatile("mov.u32 %0, %%clock;" : "=r"(value)::"memory");
    return value;
}

} // namespace ernie
