// A block's rows of one weight times one vector. Weights are the left operand of the tensor core, 16 rows at a time; the vector stands in
// the columns of the right one. Warps split the inputs in units of 128; their sums are added in their order.
// All of a warp's weights are in registers, as bf16, before the vector is there: only its products lie on the way from one exchange to
// the next.
#pragma once
#include "ernie/linear/weights.cuh"
#include "ernie/persistent/weight_stream.cuh"

namespace ernie {

inline constexpr int kPieceRows = 64;     // rows that are multiplied together, at most: a warp of pairs finishes them
inline constexpr int kUnit = 128;         // inputs that a warp takes at a time
inline constexpr int kMostFragments = 3;  // tiles that a warp holds in registers

template <WeightFormat kWeightFormat, int kScaleGroup>
struct Encoding {
    static constexpr WeightFormat kFormat = kWeightFormat;
    static constexpr int kLoads = kUnit / kInputsPerLoad<kFormat>; // 16-byte loads of a lane per row and unit
    static constexpr bool kGrouped = kScaleGroup == 64 || kScaleGroup == 128;
    static constexpr bool kRowScaled = kFormat != WeightFormat::kBfloat16 && !kGrouped;
    static constexpr int kGroups = kGrouped ? kUnit / kScaleGroup : 1; // of a unit

    static __device__ constexpr int row_bytes(int inputs) { return inputs * kBitsPerWeight<kFormat> / 8; }
    static __device__ constexpr int scale_bytes(int inputs, int rows) { return kGrouped ? inputs / kUnit * kGroups * rows * 4 : 0; }
};

// 16 rows of a unit, or 8 rows of two units. All columns of the right operand are the vector, but not quite alike, and lane 4g + t looks at
// sums of rows g and g + 8 in columns that suit it:
// - Rows lie a multiple of 128 bytes apart, so lanes of odd rows read their pieces in another order, to spread over all banks; odd
//   columns hold the vector's parts in that order.
// - Of eight rows, the other half of the tile takes a second unit: columns 2, 3, 6 and 7 hold that unit's part of the vector.
template <class E>
struct Fragment {
    unsigned weights[8][4];
    float low_factors[E::kGroups], high_factors[E::kGroups];

    static __device__ __forceinline__ unsigned piece_swap() { return E::kLoads > 1 && (threadIdx.x & 4) ? 64 : 0; } // in bytes of a row
    static __device__ __forceinline__ unsigned input_swap() { return piece_swap() * (E::kLoads == 2 ? 2 : 1); }     // in bytes of the vector

    __device__ __forceinline__ void load(unsigned low_at, unsigned high_at) {
        uint4 lows[E::kLoads], highs[E::kLoads];
#pragma unroll
        for (int l = 0; l < E::kLoads; l++) {
            lows[l] = load_shared(low_at ^ l * 64);
            highs[l] = load_shared(high_at ^ l * 64);
        }
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const Eight a = unpack<E::kFormat>(lows[j * E::kLoads / 4], j % (4 / E::kLoads));
            const Eight b = unpack<E::kFormat>(highs[j * E::kLoads / 4], j % (4 / E::kLoads));
#pragma unroll
            for (int i = 0; i < 2; i++) {
                weights[2 * j + i][0] = a.pair[2 * i];
                weights[2 * j + i][1] = b.pair[2 * i];
                weights[2 * j + i][2] = a.pair[2 * i + 1];
                weights[2 * j + i][3] = b.pair[2 * i + 1];
            }
        }
    }

    // Sums of rows g and g + 8 in this lane's columns; low is right where t is 0, high where t is 0 or, of a second unit, 1.
    __device__ __forceinline__ float2 multiply(const uint4 (&x)[4]) const {
        float4 sums[2] = {{0, 0, 0, 0}, {0, 0, 0, 0}}; // two chains of products, of a half of the unit each
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const unsigned(&a)[4] = weights[2 * j], (&b)[4] = weights[2 * j + 1];
            multiply_add(sums[j / 2], a[0], a[1], a[2], a[3], x[j].x, x[j].y);
            multiply_add(sums[j / 2], b[0], b[1], b[2], b[3], x[j].z, x[j].w);
        }
        const bool odd = piece_swap() != 0;
        float2 first = {odd ? sums[0].y : sums[0].x, odd ? sums[0].w : sums[0].z};
        float2 second = {odd ? sums[1].y : sums[1].x, odd ? sums[1].w : sums[1].z};
        if constexpr (E::kGrouped) {
            first = {first.x * low_factors[0], first.y * high_factors[0]};
            second = {second.x * low_factors[E::kGroups - 1], second.y * high_factors[E::kGroups - 1]};
        }
        return {first.x + second.x, first.y + second.y};
    }
};

// The vector's parts of a unit.
__device__ __forceinline__ void load_inputs(uint4 (&x)[4], unsigned at) {
#pragma unroll
    for (int j = 0; j < 4; j++) x[j] = load_shared(at ^ j * 64);
}

// A warp's part of a matrix of which this block has kRows rows at most: full tiles of 16 rows, and of 8 rows or fewer that remain a tile
// that takes two units at a time.
template <class E, class Spec, int kRows, int kInputs>
struct Product {
    static constexpr int kWarps = Spec::kWorkingWarps;
    static constexpr int kUnits = kInputs / kUnit;
    static constexpr bool kHasRest = kRows > 16 && kRows % 16 > 0 && kRows % 16 <= 8;
    static constexpr int kTiles = kHasRest ? kRows / 16 : (kRows + 15) / 16;
    static constexpr int kSteps = (kUnits + kWarps - 1) / kWarps;
    static constexpr int kPairs = kUnits / 2 < kWarps ? (kUnits + 1) / 2 : kWarps; // warps that share the units of the remaining rows
    static constexpr int kRowBytes = E::row_bytes(kInputs);
    static_assert(kTiles >= 1 && kTiles * kSteps <= kMostFragments, "a warp's weights fit its registers");
    static_assert(!kHasRest || 2 * kPairs >= kUnits, "the remaining rows are one fragment");
    static_assert(kRows <= kPieceRows && kInputs % kUnit == 0, "a piece of whole units");

    WeightReader<Spec>& stream;
    const int rows; // 1 to kRows
    unsigned present, released, scales = 0;
    Fragment<E> fragments[kTiles * kSteps], rest;

    __device__ __forceinline__ Product(WeightReader<Spec>& weights, int row_count) : stream(weights), rows(row_count), present(weights.first), released(weights.first) {
        if constexpr (E::kGrouped) scales = stream.take_scales();
    }

    static __device__ __forceinline__ int warp() { return threadIdx.x / 32; }
    static __device__ __forceinline__ int group() { return threadIdx.x % 32 / 4; }
    static __device__ __forceinline__ int thread() { return threadIdx.x % 4; }

    __device__ __forceinline__ unsigned bytes() const { return static_cast<unsigned>(rows * kRowBytes); }
    __device__ __forceinline__ unsigned bytes_of(int tiles) const { return min(static_cast<unsigned>(tiles * 16 * kRowBytes), bytes()); }
    __device__ __forceinline__ unsigned at(int row, int unit) const { return stream.at(row * kRowBytes + unit * E::kLoads * 64) + thread() * 16 ^ Fragment<E>::piece_swap(); }

    __device__ __forceinline__ void take(Fragment<E>& fragment, int low_row, int low_unit, int high_row, int high_unit) const {
        fragment.load(at(low_row, low_unit), at(high_row, high_unit));
        if constexpr (E::kGrouped) {
#pragma unroll
            for (int s = 0; s < E::kGroups; s++) {
                fragment.low_factors[s] = load_shared_float(scales + ((low_unit * E::kGroups + s) * rows + low_row) * 4);
                fragment.high_factors[s] = load_shared_float(scales + ((high_unit * E::kGroups + s) * rows + high_row) * 4);
            }
        }
    }

    // Takes the full tiles out of the stream. Of rows that there are not the last one is taken; what it gives means nothing.
    __device__ __forceinline__ void load() {
#pragma unroll
        for (int tile = 0; tile < kTiles; tile++) {
            stream.wait(present, bytes_of(tile + 1));
#pragma unroll
            for (int step = 0; step < kSteps; step++) {
                const int unit = min(step * kWarps + warp(), kUnits - 1);
                take(fragments[tile * kSteps + step], min(tile * 16 + group(), rows - 1), unit, min(tile * 16 + 8 + group(), rows - 1), unit);
            }
            stream.release(released, bytes_of(tile + 1), bytes());
        }
        if constexpr (kHasRest) {
            const int row = min(kTiles * 16 + group(), rows - 1), unit = min(warp(), kPairs - 1);
            stream.wait(present, bytes());
            take(rest, row, unit, row, min(unit + kPairs, kUnits - 1));
            stream.release(released, bytes(), bytes());
        }
    }

    // This warp's share of the rows' sums to partial[row]. vector: bf16 in shared memory.
    __device__ __forceinline__ void multiply(unsigned vector, float* partial) {
        const unsigned input = vector + (thread() * 16 ^ Fragment<E>::input_swap());
        float2 sums[kTiles];
#pragma unroll
        for (int step = 0; step < kSteps; step++) {
            const int unit = step * kWarps + warp();
            uint4 x[4];
            load_inputs(x, input + min(unit, kUnits - 1) * (kUnit * 2));
#pragma unroll
            for (int tile = 0; tile < kTiles; tile++) {
                const float2 sum = fragments[tile * kSteps + step].multiply(x);
                if (step == 0) sums[tile] = {0, 0};
                if (unit < kUnits) sums[tile] = {sums[tile].x + sum.x, sums[tile].y + sum.y};
            }
        }
        if (thread() == 0) {
#pragma unroll
            for (int tile = 0; tile < kTiles; tile++) {
                partial[tile * 16 + group()] = sums[tile].x;
                partial[tile * 16 + 8 + group()] = sums[tile].y;
            }
        }
        if constexpr (kHasRest) multiply_rest(input, partial);
        if constexpr (E::kGrouped) stream.return_scales();
        stream.next_matrix(bytes());
    }

    __device__ __forceinline__ void multiply_rest(unsigned input, float* partial) const {
        const int unit = warp(), high = unit + kPairs;
        uint4 x[4];
        load_inputs(x, input + min(group() & 2 ? high : unit, kUnits - 1) * (kUnit * 2));
        const float2 both = rest.multiply(x);
        // Lanes of odd t saw the second unit's columns.
        const float of_second = __shfl_xor_sync(kFullWarp, both.y, 1);
        if (thread() == 0) partial[kTiles * 16 + group()] = unit < kPairs ? both.x + (high < kUnits ? of_second : 0) : 0;
    }
};

} // namespace ernie
