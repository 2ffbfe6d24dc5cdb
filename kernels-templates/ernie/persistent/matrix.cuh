// A block's rows of one weight times one vector. Rows are contiguous in memory, so a block's share of a matrix is one piece of the
// stream. Weights are the left operand of the tensor core, 16 rows at a time; the vector stands in the columns of the right one.
// Warps split the inputs in units of 128 and are summed in their order.
// One body of code serves all matrices of a format: a layer runs through each of its instructions once, so they must be few.
#pragma once
#include "ernie/linear/weights.cuh"
#include "ernie/persistent/weight_stream.cuh"

namespace ernie {

inline constexpr int kPieceRows = 48; // rows that are multiplied between two barriers, at most: a warp of pairs finishes them
inline constexpr int kUnit = 128;     // inputs that a warp takes at a time

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

// This block's rows of a matrix, or some of them.
struct Piece {
    int rows, units, row_bytes;

    __device__ __forceinline__ unsigned bytes() const { return static_cast<unsigned>(rows * row_bytes); }
};

// This warp's share of the rows' sums to partial[row]. vector: bf16 in shared memory; zeros: a unit of zeros there; scales: shared
// address of f32 [groups, rows].
// All columns of the right operand are the vector, but not quite alike, and lane 4g + t looks at sums of rows g and g + 8 in columns that suit it:
// - Rows lie a multiple of 128 bytes apart, so lanes of odd rows read their pieces in another order, to spread over all banks; odd
//   columns hold the vector's parts in that order.
// - Of eight rows at most, the other half of the tile takes a second unit: columns 2, 3, 6 and 7 hold that unit's part of the vector.
template <class E, class Spec>
__device__ __forceinline__ void multiply(
    WeightReader<Spec>& stream, Piece piece, unsigned vector, unsigned zeros, unsigned scales, float* partial) {
    constexpr int kWarps = Spec::kWorkingWarps;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    unsigned present = stream.first, released = stream.first;
    const unsigned piece_swap = E::kLoads > 1 && (g & 1) ? 64 : 0;       // in bytes of a row
    const unsigned input_swap = piece_swap * (E::kLoads == 2 ? 2 : 1);   // in bytes of the vector
#pragma unroll 1
    for (int first = 0; first < piece.rows; first += 16) {
        const int rows = min(16, piece.rows - first);
        const bool halves = rows <= 8;
        const int pairs = min(kWarps, piece.units / 2), second = halves ? pairs : 0, step = halves ? 2 * pairs : kWarps;
        const unsigned end = static_cast<unsigned>((first + rows) * piece.row_bytes);
        const int low_row = first + min(g, rows - 1), high_row = halves ? low_row : first + min(g + 8, rows - 1);
        float low = 0, high = 0;
        float4 even = {0, 0, 0, 0}, odd = {0, 0, 0, 0}; // two chains of products
        stream.wait(present, end);
#pragma unroll 1
        for (int unit = halves && warp >= pairs ? piece.units : warp; unit < piece.units; unit += step) {
            const bool has_high = unit + second < piece.units;
            const int high_unit = has_high ? unit + second : unit;
            const bool takes_high = halves && (g & 2);
            const unsigned input = (takes_high && !has_high ? zeros : vector + (takes_high ? high_unit : unit) * (kUnit * 2)) + t * 16 ^ input_swap;
            const unsigned low_at = stream.at(low_row * piece.row_bytes + unit * E::kLoads * 64) + t * 16 ^ piece_swap;
            const unsigned high_at = stream.at(high_row * piece.row_bytes + high_unit * E::kLoads * 64) + t * 16 ^ piece_swap;
            uint4 lows[E::kLoads], highs[E::kLoads], x[4];
#pragma unroll
            for (int l = 0; l < E::kLoads; l++) {
                lows[l] = load_shared(low_at ^ l * 64);
                highs[l] = load_shared(high_at ^ l * 64);
            }
#pragma unroll
            for (int j = 0; j < 4; j++) x[j] = load_shared(input ^ j * 64);
            float low_factors[E::kGroups], high_factors[E::kGroups];
            if constexpr (E::kGrouped) {
#pragma unroll
                for (int s = 0; s < E::kGroups; s++) {
                    low_factors[s] = load_shared_float(scales + ((unit * E::kGroups + s) * piece.rows + low_row) * 4);
                    high_factors[s] = load_shared_float(scales + ((high_unit * E::kGroups + s) * piece.rows + high_row) * 4);
                }
            }
#pragma unroll
            for (int j = 0; j < 4; j++) {
                const Eight a = unpack<E::kFormat>(lows[j * E::kLoads / 4], j % (4 / E::kLoads));
                const Eight b = unpack<E::kFormat>(highs[j * E::kLoads / 4], j % (4 / E::kLoads));
                multiply_add(even, a.pair[0], b.pair[0], a.pair[1], b.pair[1], x[j].x, x[j].y);
                multiply_add(odd, a.pair[2], b.pair[2], a.pair[3], b.pair[3], x[j].z, x[j].w);
                if constexpr (E::kGrouped) {
                    if ((j + 1) % (4 / E::kGroups) == 0) {
                        const int s = (j + 1) / (4 / E::kGroups) - 1;
                        low += (piece_swap ? even.y + odd.y : even.x + odd.x) * low_factors[s];
                        high += (piece_swap ? even.w + odd.w : even.z + odd.z) * high_factors[s];
                        even = odd = {0, 0, 0, 0};
                    }
                }
            }
        }
        stream.release(released, end, piece.bytes());
        if constexpr (!E::kGrouped) {
            low = piece_swap ? even.y + odd.y : even.x + odd.x;
            high = piece_swap ? even.w + odd.w : even.z + odd.z;
        }
        // Lanes of odd t saw the second unit's columns.
        if (halves) low += __shfl_xor_sync(kFullWarp, high, 1);
        if (t == 0) {
            partial[first + g] = low;
            if (!halves) partial[first + 8 + g] = high;
        }
    }
    stream.next_matrix(piece.bytes());
}

} // namespace ernie
