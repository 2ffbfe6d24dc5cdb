// What compute capability 9.0 adds: tensor copies that report to barriers, warpgroup products, clusters. One wrapper each, no policy.
#pragma once
#include "ernie/common/device.cuh"

namespace ernie {

// CUtensorMap of the driver: where a matrix lies and which boxes of it are copied. Passed by value in a kernel's arguments.
struct alignas(64) TensorMap {
    unsigned long long words[16];
};

__device__ __forceinline__ void prefetch_map(const TensorMap& map) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
}

__device__ __forceinline__ void initialize_barrier(unsigned barrier, int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

// Makes initialised barriers known to the copy engine.
__device__ __forceinline__ void publish_barriers() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }

__device__ __forceinline__ void arrive(unsigned barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

// Arrives, and lets the phase end only when that many bytes have been copied too.
__device__ __forceinline__ void arrive_expecting(unsigned barrier, int bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

// Whether the phase of this parity is over; waits a little first.
__device__ __forceinline__ bool is_over(unsigned barrier, unsigned parity) {
    unsigned done;
    asm volatile("{\n"
                 ".reg .pred p;\n"
                 "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
                 "selp.u32 %0, 1, 0, p;\n"
                 "}"
                 : "=r"(done)
                 : "r"(barrier), "r"(parity)
                 : "memory");
    return done != 0;
}

__device__ __forceinline__ void wait_barrier(unsigned barrier, unsigned parity) {
    while (!is_over(barrier, parity)) {
    }
}

// For what is read once a step: it leaves L2 first.
__device__ __forceinline__ unsigned long long evict_first_policy() {
    unsigned long long policy;
    asm volatile("createpolicy.fractional.L2::evict_first.b64 %0;" : "=l"(policy));
    return policy;
}

__device__ __forceinline__ unsigned long long evict_normal_policy() {
    unsigned long long policy;
    asm volatile("createpolicy.fractional.L2::evict_normal.b64 %0;" : "=l"(policy));
    return policy;
}

__device__ __forceinline__ unsigned long long evict_last_policy() {
    unsigned long long policy;
    asm volatile("createpolicy.fractional.L2::evict_last.b64 %0;" : "=l"(policy));
    return policy;
}

// Copies the box whose first element is (column, row); rows beyond the matrix become zeros.
__device__ __forceinline__ void copy_box(
    unsigned destination, const TensorMap& map, int column, int row, unsigned barrier, unsigned long long policy) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint"
                 " [%0], [%1, {%2, %3}], [%4], %5;" ::"r"(destination),
                 "l"(&map), "r"(column), "r"(row), "r"(barrier), "l"(policy)
                 : "memory");
}

// Copies bytes as they lie; addresses and count are multiples of 16.
__device__ __forceinline__ void copy_bytes(unsigned destination, const void* source, int bytes, unsigned barrier) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(destination),
                 "l"(source), "r"(bytes), "r"(barrier)
                 : "memory");
}

__device__ __forceinline__ void copy_bytes(unsigned destination, const void* source, int bytes, unsigned barrier, unsigned long long policy) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1], %2, [%3], %4;" ::"r"(destination),
                 "l"(source), "r"(bytes), "r"(barrier), "l"(policy)
                 : "memory");
}

// A matrix of 16-bit elements in shared memory as warpgroup products see it: rows of 128 bytes whose 16-byte pieces are swizzled
// in groups of eight rows, 1,024 bytes each. Adding 2 moves 16 elements along the rows.
__device__ __forceinline__ unsigned long long matrix_descriptor(unsigned address) {
    return (address & 0x3ffffu) >> 4 | 1ull << 16 | 64ull << 32 | 1ull << 62;
}

__device__ __forceinline__ void begin_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ __forceinline__ void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

template <int kPending>
__device__ __forceinline__ void wait_products() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

// Keeps the compiler from moving uses of sums above the wait before.
template <int kCount>
__device__ __forceinline__ void settle(float (&sums)[kCount]) {
#pragma unroll
    for (int i = 0; i < kCount; i++) asm volatile("" : "+f"(sums[i])::"memory");
}

// D[64 x N] += A[64 x 16] B[N x 16]^T by the four warps of a group, asynchronously; N is twice the number of sums of a thread.
// Lane 4g + t of warp w holds D rows 16w + g and 16w + g + 8: sums[4j], [4j + 1] at columns 8j + 2t, 8j + 2t + 1 of the first,
// sums[4j + 2], [4j + 3] of the second.
#define ERNIE_SUMS_8(i)                                                                                                    \
    "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define ERNIE_SUMS_32(i) ERNIE_SUMS_8(i), ERNIE_SUMS_8(i + 8), ERNIE_SUMS_8(i + 16), ERNIE_SUMS_8(i + 24)

__device__ __forceinline__ void multiply_add_async(float (&d)[8], unsigned long long a, unsigned long long b) {
    asm volatile("wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {%0,%1,%2,%3,%4,%5,%6,%7}, %8, %9, 1, 1, 1, 0, 0;"
                 : ERNIE_SUMS_8(0)
                 : "l"(a), "l"(b));
}

__device__ __forceinline__ void multiply_add_async(float (&d)[16], unsigned long long a, unsigned long long b) {
    asm volatile("wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 "
                 "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15}, %16, %17, 1, 1, 1, 0, 0;"
                 : ERNIE_SUMS_8(0), ERNIE_SUMS_8(8)
                 : "l"(a), "l"(b));
}

__device__ __forceinline__ void multiply_add_async(float (&d)[32], unsigned long long a, unsigned long long b) {
    asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
                 "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,"
                 "%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31}, %32, %33, 1, 1, 1, 0, 0;"
                 : ERNIE_SUMS_32(0)
                 : "l"(a), "l"(b));
}

__device__ __forceinline__ void multiply_add_async(float (&d)[64], unsigned long long a, unsigned long long b) {
    asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
                 "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,"
                 "%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"
                 "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,"
                 "%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}, %64, %65, 1, 1, 1, 0, 0;"
                 : ERNIE_SUMS_32(0), ERNIE_SUMS_32(32)
                 : "l"(a), "l"(b));
}

// D[64 x 128] = A[64 x 32] B[128 x 32]^T of e4m3, or += when it adds; rows of 128 values. Results lie as above. Sums that the tensor
// core keeps are coarser than f32: they are to be added up elsewhere before long.
__device__ __forceinline__ void multiply_float8_async(float (&d)[64], unsigned long long a, unsigned long long b, int adds) {
    asm volatile("{\n.reg .pred p;\nsetp.ne.s32 p, %66, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n128k32.f32.e4m3.e4m3 "
                 "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,"
                 "%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"
                 "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,"
                 "%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}, "
                 "%64, %65, p, 1, 1;\n}"
                 : ERNIE_SUMS_32(0), ERNIE_SUMS_32(32)
                 : "l"(a), "l"(b), "r"(adds));
}

#undef ERNIE_SUMS_8
#undef ERNIE_SUMS_32

// Gives registers of this warpgroup to others, or takes them.
template <int kCount>
__device__ __forceinline__ void give_registers() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kCount));
}

template <int kCount>
__device__ __forceinline__ void take_registers() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kCount));
}

// All threads of the cluster; writes to shared memory before it are seen by every block behind it.
__device__ __forceinline__ void synchronize_cluster() {
    asm volatile("barrier.cluster.arrive.release;\nbarrier.cluster.wait.acquire;" ::: "memory");
}

// The same place in the shared memory of another block of the cluster.
__device__ __forceinline__ unsigned address_in_block(unsigned address, int rank) {
    unsigned remote;
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(remote) : "r"(address), "r"(rank));
    return remote;
}

__device__ __forceinline__ float2 load_cluster(unsigned address) {
    float2 value;
    asm volatile("ld.shared::cluster.v2.f32 {%0,%1}, [%2];" : "=f"(value.x), "=f"(value.y) : "r"(address) : "memory");
    return value;
}

} // namespace ernie
