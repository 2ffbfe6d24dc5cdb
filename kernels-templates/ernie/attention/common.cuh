// Shared by both attention kernels: grouped queries over paged keys and values in bf16, on the tensor cores.
// A warp takes 16 query rows (a token's heads are neighbouring rows) and tiles of keys; softmax runs along, in base 2.
//   pages    keys and values [pages, kv heads, tokens per page, head size]: one page of one head is contiguous
#pragma once
#include "ernie/common/device.cuh"
#include "ernie/common/step.cuh"

namespace ernie {

struct AttentionArgs {
    const Bf16* query;      // [tokens, heads * head size]
    const Bf16* keys;       // this layer's
    const Bf16* values;
    const int* page_table;  // [slots, pages_per_slot]
    Bf16* output;           // [tokens, heads * head size]
    StepHeader* header;
    const int2* tiles;      // prefill: [tile] row of the batch, first token of the tile within the row
    float* partials;        // decode: [rows, kv heads, splits, heads per kv head, head size + 2]
    int* arrivals;          // decode: [rows, kv heads], zero between launches
    int pages_per_slot;
    int row_capacity;
};

inline constexpr int kHeadPieces = 16; // 16-byte pieces of a head's 128 values

// Keys are read eight lanes at a time as 64 bytes of two rows, values as one piece of eight rows: two ways to spread rows over banks.
__device__ __forceinline__ int key_piece(int row, int piece) { return row * kHeadPieces + (piece ^ ((row & 1) << 2)); }
__device__ __forceinline__ int value_piece(int row, int piece) { return row * kHeadPieces + (piece ^ (row & 7)); }

// Query rows g and g + 8 of a warp: what lane t multiplies with the keys it loads, in 4 parts of 32 values.
struct QueryFragment {
    uint4 low[4], high[4];
};

// Running softmax of two query rows and this lane's share of their outputs: [16 columns of 8] x (row g: x, y; row g + 8: z, w).
struct Softmax {
    float4 output[16];
    float maximum[2];
    float sum[2];
};

__device__ __forceinline__ void clear(Softmax& state) {
#pragma unroll
    for (int i = 0; i < 16; i++) state.output[i] = {0, 0, 0, 0};
    state.maximum[0] = state.maximum[1] = -1e30f;
    state.sum[0] = state.sum[1] = 0;
}

// Takes in kKeys keys that lie in shared memory. first_key is the position of the first, limit[i] how many positions row i may see.
template <int kKeys>
__device__ __forceinline__ void attend(
    Softmax& state, const QueryFragment& query, unsigned keys, unsigned values, int first_row, int first_key, const int (&limit)[2], float scale) {
    const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    float4 scores[kKeys / 8];
#pragma unroll
    for (int n = 0; n < kKeys / 8; n++) {
        scores[n] = {0, 0, 0, 0};
#pragma unroll
        for (int part = 0; part < 4; part++) {
            uint4 key = load_shared(keys + key_piece(first_row + n * 8 + g, part * 4 + t) * 16);
            const uint4 &low = query.low[part], &high = query.high[part];
            multiply_add(scores[n], low.x, high.x, low.y, high.y, key.x, key.y);
            multiply_add(scores[n], low.z, high.z, low.w, high.w, key.z, key.w);
        }
    }

    float maximum[2] = {state.maximum[0], state.maximum[1]};
#pragma unroll
    for (int n = 0; n < kKeys / 8; n++) {
        int position = first_key + n * 8 + 2 * t;
        scores[n].x = position < limit[0] ? scores[n].x * scale : -1e30f;
        scores[n].y = position + 1 < limit[0] ? scores[n].y * scale : -1e30f;
        scores[n].z = position < limit[1] ? scores[n].z * scale : -1e30f;
        scores[n].w = position + 1 < limit[1] ? scores[n].w * scale : -1e30f;
        maximum[0] = fmaxf(maximum[0], fmaxf(scores[n].x, scores[n].y));
        maximum[1] = fmaxf(maximum[1], fmaxf(scores[n].z, scores[n].w));
    }
    float factor[2];
#pragma unroll
    for (int i = 0; i < 2; i++) {
        maximum[i] = fmaxf(maximum[i], __shfl_xor_sync(kFullWarp, maximum[i], 1));
        maximum[i] = fmaxf(maximum[i], __shfl_xor_sync(kFullWarp, maximum[i], 2));
        factor[i] = exp2f(state.maximum[i] - maximum[i]);
        state.maximum[i] = maximum[i];
        state.sum[i] *= factor[i];
    }
#pragma unroll
    for (int n = 0; n < kKeys / 8; n++) {
        int position = first_key + n * 8 + 2 * t;
        // A row that sees nothing yet has maximum -1e30: its masked scores would count as 1.
        scores[n].x = position < limit[0] ? exp2f(scores[n].x - maximum[0]) : 0;
        scores[n].y = position + 1 < limit[0] ? exp2f(scores[n].y - maximum[0]) : 0;
        scores[n].z = position < limit[1] ? exp2f(scores[n].z - maximum[1]) : 0;
        scores[n].w = position + 1 < limit[1] ? exp2f(scores[n].w - maximum[1]) : 0;
        state.sum[0] += scores[n].x + scores[n].y; // this lane's columns; the four lanes of a row are added at the end
        state.sum[1] += scores[n].z + scores[n].w;
    }
#pragma unroll
    for (int i = 0; i < 16; i++) {
        state.output[i].x *= factor[0];
        state.output[i].y *= factor[0];
        state.output[i].z *= factor[1];
        state.output[i].w *= factor[1];
    }

    // The layout of a product's result is that of a left operand: scores become weights without leaving their lanes.
#pragma unroll
    for (int n = 0; n < kKeys / 16; n++) {
        const float4 &left = scores[2 * n], &right = scores[2 * n + 1];
        unsigned a0 = pack_bf16(left.x, left.y), a1 = pack_bf16(left.z, left.w);
        unsigned a2 = pack_bf16(right.x, right.y), a3 = pack_bf16(right.z, right.w);
        int row = first_row + n * 16 + lane % 16;
#pragma unroll
        for (int pair = 0; pair < 8; pair++) {
            uint4 v = load_matrices_transposed(values + value_piece(row, pair * 2 + lane / 16) * 16);
            multiply_add(state.output[2 * pair], a0, a1, a2, a3, v.x, v.y);
            multiply_add(state.output[2 * pair + 1], a0, a1, a2, a3, v.z, v.w);
        }
    }
}

// Adds up the four lanes that share a row.
__device__ __forceinline__ void finish_sums(Softmax& state) {
#pragma unroll
    for (int i = 0; i < 2; i++) {
        state.sum[i] += __shfl_xor_sync(kFullWarp, state.sum[i], 1);
        state.sum[i] += __shfl_xor_sync(kFullWarp, state.sum[i], 2);
    }
}

} // namespace ernie
