// Vectors that every block writes a part of and that all blocks need whole. They cross the device as words in global memory: 64 bits, a
// value (f32, or two bf16) and a tag that is new for each use, read and written in one piece. Whoever finds the tag has the value: no fence,
// no counter, nothing to reset. A block polls only its eighth of the words and passes them on to its cluster through shared memory, so
// that polling does not crowd L2.
// One buffer per kind of vector is enough: a block writes a vector again only after it has had one that every other block wrote a part of
// after having had this.
#pragma once
#include "ernie/persistent/primitives.cuh"

namespace ernie {

__device__ __forceinline__ unsigned long long tagged(unsigned value, unsigned tag) { return static_cast<unsigned long long>(tag) << 32 | value; }
__device__ __forceinline__ unsigned long long tagged(float value, unsigned tag) { return tagged(__float_as_uint(value), tag); }
__device__ __forceinline__ unsigned value_of(unsigned long long word) { return static_cast<unsigned>(word); }
__device__ __forceinline__ unsigned tag_of(unsigned long long word) { return static_cast<unsigned>(word >> 32); }

// Polls pairs of words until all have the tag. address(i): of pair i, or null where there is nothing to wait for.
template <int kCount, class Address>
__device__ __forceinline__ void receive(ulonglong2 (&words)[kCount], Address address, unsigned tag, volatile int* note, int place) {
    Watchdog watchdog;
#pragma unroll 1
    while (true) {
#pragma unroll
        for (int i = 0; i < kCount; i++)
            if (const ulonglong2* from = address(i)) words[i] = load_words(from);
        bool complete = true;
#pragma unroll
        for (int i = 0; i < kCount; i++)
            if (address(i)) complete &= tag_of(words[i].x) == tag && tag_of(words[i].y) == tag;
        if (complete) break;
        watchdog.look(note, place);
    }
    __syncwarp();
}

// A warp's lanes take quads of neighbouring words in turn.
template <int kWords>
struct Slice {
    static_assert(kWords % 4 == 0, "whole quads");
    static constexpr int kQuads = kWords / 4, kPerLane = (kQuads + 31) / 32;

    ulonglong2 words[kPerLane * 2];

    __device__ __forceinline__ void receive(const ulonglong2* source, unsigned tag, volatile int* note, int place) {
        const int lane = threadIdx.x % 32;
        ernie::receive(words, [&](int i) -> const ulonglong2* {
            const int quad = i / 2 * 32 + lane;
            return quad < kQuads ? source + quad * 2 + i % 2 : nullptr;
        }, tag, note, place);
    }

    __device__ __forceinline__ uint4 quad(int i) const {
        return {value_of(words[2 * i].x), value_of(words[2 * i].y), value_of(words[2 * i + 1].x), value_of(words[2 * i + 1].y)};
    }
};

} // namespace ernie
