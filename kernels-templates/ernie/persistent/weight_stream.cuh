// A block's weights as one stream through a ring of chunks in shared memory. One thread copies ahead and knows nothing of phases,
// layers or what the others wait for; the working warps follow. Each matrix starts with a new chunk, so that all borders are static.
// Scales of groups travel beside them, a matrix's scales of a block in one piece, through a small ring of their own.
#pragma once
#include "ernie/persistent/primitives.cuh"

namespace ernie {

template <class Spec>
struct Ring {
    static constexpr unsigned kChunkBytes = Spec::kChunkBytes;
    static constexpr unsigned kChunks = Spec::kRingChunks;
    static constexpr unsigned kBytes = kChunkBytes * kChunks;
    static_assert((kChunkBytes & (kChunkBytes - 1)) == 0 && (kChunks & (kChunks - 1)) == 0, "positions wrap by a mask");

    static constexpr unsigned kScaleSlots = Spec::kScaleSlots;

    unsigned data;     // shared addresses
    unsigned barriers; // [chunks] full, [chunks] empty, [scale slots] full, [scale slots] empty
    unsigned scales;
    volatile int* note;

    __device__ __forceinline__ unsigned full(unsigned chunk) const { return barriers + (chunk & (kChunks - 1)) * 8; }
    __device__ __forceinline__ unsigned empty(unsigned chunk) const { return full(chunk) + kChunks * 8; }
    // Parity of the barriers' phase in which a chunk of the stream is in the ring.
    static __device__ __forceinline__ unsigned parity(unsigned chunk) { return chunk / kChunks & 1; }

    __device__ __forceinline__ unsigned scale_full(unsigned piece) const { return barriers + (2 * kChunks + piece % kScaleSlots) * 8; }
    __device__ __forceinline__ unsigned scale_empty(unsigned piece) const { return scale_full(piece) + kScaleSlots * 8; }
    static __device__ __forceinline__ unsigned scale_parity(unsigned piece) { return piece / kScaleSlots & 1; }
    __device__ __forceinline__ unsigned scale_slot(unsigned piece) const { return scales + piece % kScaleSlots * Spec::kScaleBytes; }

    __device__ __forceinline__ void wait(unsigned barrier, unsigned parity, int place) const {
        barrier_wait(barrier, parity, note, place);
    }
};

// The copying thread.
template <class Spec>
struct WeightWriter {
    using Stream = Ring<Spec>;
    Stream ring;
    unsigned issued = 0, scale_pieces = 0;

    __device__ __forceinline__ void copy_scales(const void* source, unsigned bytes) {
        if (scale_pieces >= Stream::kScaleSlots) ring.wait(ring.scale_empty(scale_pieces), Stream::scale_parity(scale_pieces) ^ 1, 4);
        arrive_expecting(ring.scale_full(scale_pieces), bytes);
        copy_bytes(ring.scale_slot(scale_pieces), source, bytes, ring.scale_full(scale_pieces), evict_first_policy());
        scale_pieces++;
    }

    __device__ __forceinline__ void copy(const char* source, unsigned bytes) {
#pragma unroll 1
        for (unsigned done = 0; done < bytes; done += Stream::kChunkBytes) {
            // The first round finds every slot empty.
            if (issued >= Stream::kChunks) ring.wait(ring.empty(issued), Stream::parity(issued) ^ 1, 1);
            // Few copies under way: queued requests would lengthen every exchange between the blocks.
            if (issued >= Spec::kCopiesInFlight) ring.wait(ring.full(issued - Spec::kCopiesInFlight), Stream::parity(issued - Spec::kCopiesInFlight), 2);
            const unsigned size = min(Stream::kChunkBytes, bytes - done);
            arrive_expecting(ring.full(issued), size);
            copy_bytes(ring.data + (issued & (Stream::kChunks - 1)) * Stream::kChunkBytes, source + done, size, ring.full(issued), evict_first_policy());
            issued++;
        }
    }
};

// A working warp: where the present matrix begins in the stream, and which scales are next.
template <class Spec>
struct WeightReader {
    using Stream = Ring<Spec>;
    Stream ring;
    unsigned first = 0, scale_piece = 0;

    // The next matrix's scales, for all of the warp until it gives them back.
    __device__ __forceinline__ unsigned take_scales() {
        ring.wait(ring.scale_full(scale_piece), Stream::scale_parity(scale_piece), 5);
        return ring.scale_slot(scale_piece);
    }

    __device__ __forceinline__ void return_scales() {
        __syncwarp();
        if (threadIdx.x % 32 == 0) arrive(ring.scale_empty(scale_piece));
        scale_piece++;
    }

    // Waits for the matrix's first bytes; up to present it has waited before.
    __device__ __forceinline__ void wait(unsigned& present, unsigned bytes) const {
        unsigned end = first + (bytes + Stream::kChunkBytes - 1) / Stream::kChunkBytes;
#pragma unroll 1
        for (; present < end; present++) ring.wait(ring.full(present), Stream::parity(present), 3);
    }

    // Address of an offset in the matrix.
    __device__ __forceinline__ unsigned at(unsigned offset) const { return ring.data + (first * Stream::kChunkBytes + offset & (Stream::kBytes - 1)); }

    // The warp has read the first bytes of a matrix of all bytes; what lies before released it has given back.
    __device__ __forceinline__ void release(unsigned& released, unsigned bytes, unsigned all) const {
        unsigned end = first + (bytes == all ? all + Stream::kChunkBytes - 1 : bytes) / Stream::kChunkBytes;
        if (released == end) return;
        __syncwarp();
        if (threadIdx.x % 32 == 0) {
#pragma unroll 1
            for (unsigned chunk = released; chunk < end; chunk++) arrive(ring.empty(chunk));
        }
        released = end;
    }

    __device__ __forceinline__ void next_matrix(unsigned bytes) { first += (bytes + Stream::kChunkBytes - 1) / Stream::kChunkBytes; }
};

} // namespace ernie
