// Warpgroup products of attention: scores overwrite what was there, weights are a left operand in registers. See hopper.cuh for the
// layout of results.
#pragma once
#include "ernie/common/hopper.cuh"

namespace ernie {

#define ERNIE_SUMS_8(i)                                                                                                    \
    "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define ERNIE_SUMS_32(i) ERNIE_SUMS_8(i), ERNIE_SUMS_8(i + 8), ERNIE_SUMS_8(i + 16), ERNIE_SUMS_8(i + 24)

// D[64 x N] = A[64 x 16] B[N x 16]^T, or += when it adds; both in shared memory, rows of 64 values.
__device__ __forceinline__ void multiply_async(float (&d)[32], unsigned long long a, unsigned long long b, int adds) {
    asm volatile("{\n.reg .pred p;\nsetp.ne.s32 p, %34, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
                 "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,"
                 "%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31}, "
                 "%32, %33, p, 1, 1, 0, 0;\n}"
                 : ERNIE_SUMS_32(0)
                 : "l"(a), "l"(b), "r"(adds));
}

__device__ __forceinline__ void multiply_async(float (&d)[64], unsigned long long a, unsigned long long b, int adds) {
    asm volatile("{\n.reg .pred p;\nsetp.ne.s32 p, %66, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
                 "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,"
                 "%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"
                 "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,"
                 "%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}, "
                 "%64, %65, p, 1, 1, 0, 0;\n}"
                 : ERNIE_SUMS_32(0), ERNIE_SUMS_32(32)
                 : "l"(a), "l"(b), "r"(adds));
}

// D[64 x 128] = A[64 x 16] B[16 x 128], or += when it adds; A in registers as for multiply_add, B in shared memory with rows of 64
// values, so that its second half of columns lies elsewhere: see row_descriptor.
__device__ __forceinline__ void multiply_async(
    float (&d)[64], unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned long long b, int adds) {
    asm volatile("{\n.reg .pred p;\nsetp.ne.s32 p, %69, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
                 "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,"
                 "%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"
                 "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,"
                 "%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}, "
                 "{%64,%65,%66,%67}, %68, p, 1, 1, 1;\n}"
                 : ERNIE_SUMS_32(0), ERNIE_SUMS_32(32)
                 : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "l"(b), "r"(adds));
}

#undef ERNIE_SUMS_8
#undef ERNIE_SUMS_32

// Rows of a matrix whose columns are summed over, in groups of eight rows of 128 bytes; half_bytes lie between the columns' halves.
__device__ __forceinline__ unsigned long long row_descriptor(unsigned address, unsigned half_bytes) {
    return (address & 0x3ffffu) >> 4 | static_cast<unsigned long long>(half_bytes >> 4) << 16 | 64ull << 32 | 1ull << 62;
}

// Barrier number id of so many threads.
__device__ __forceinline__ void synchronize_group(int id, int threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

// What this thread wrote to shared memory is seen by products and copies that come after.
__device__ __forceinline__ void publish_shared() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

} // namespace ernie
