// Philox4x32-10, the same numbers as Ernie.Sampling.Philox. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

namespace ernie {

struct Philox {
    unsigned key_low, key_high, position_low, position_high, stream;

    __device__ uint4 block(unsigned draw) const {
        unsigned x = draw, y = position_low, z = position_high, w = stream, low = key_low, high = key_high;
#pragma unroll
        for (int round = 0; round < 10; round++) {
            unsigned a_high = __umulhi(0xD2511F53u, x), a_low = 0xD2511F53u * x;
            unsigned b_high = __umulhi(0xCD9E8D57u, z), b_low = 0xCD9E8D57u * z;
            x = b_high ^ y ^ low;
            y = b_low;
            z = a_high ^ w ^ high;
            w = a_low;
            low += 0x9E3779B9u;
            high += 0xBB67AE85u;
        }
        return {x, y, z, w};
    }

    // In (0, 1]: (bits + 1) * 2^-32 in double, rounded to f32.
    __device__ static float to_uniform(unsigned bits) { return static_cast<float>((bits + 1.0) * (1.0 / 4294967296.0)); }

    __device__ float uniform(unsigned draw) const { return to_uniform(block(draw).x); }
};

} // namespace ernie
