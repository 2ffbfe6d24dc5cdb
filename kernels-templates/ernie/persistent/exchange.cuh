// Vectors that every block writes a part of and reads whole. A word is 64 bits: a value (f32, or two bf16) and a tag that is new for
// each use, read and written in one piece. Whoever finds the tag has the value: no fence, no counter, nothing to reset.
// One buffer per kind of vector is enough: a block writes a vector again only after it has read one that every other block wrote
// after having read this.
#pragma once
#include "ernie/persistent/primitives.cuh"

namespace ernie {

__device__ __forceinline__ unsigned long long tagged(unsigned value, unsigned tag) { return static_cast<unsigned long long>(tag) << 32 | value; }
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
        if (complete) return;
        watchdog.look(note, place);
    }
}

} // namespace ernie
