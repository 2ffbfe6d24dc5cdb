// Turns a packed weight into plain bf16 rows, once at start, for the kernels that want no other format.
//   launch   one block per output
// Grouped scales are multiplied in f32 and rounded to bf16, as linear_tile does it while multiplying. One scale per output stays
// apart: the integers are exact in bf16 and the sums are scaled.
#pragma once
#include "ernie/linear/weights.cuh"

namespace ernie {

struct ExpandWeightsArgs {
    const uint4* weight;  // see weights.cuh
    const float* scales;  // [inputs / group, outputs]
    Bf16* output;         // [outputs, inputs]
    int inputs;
};

template <class Spec>
__device__ void expand_weights(const ExpandWeightsArgs& args) {
    constexpr WeightFormat kFormat = Spec::kFormat;
    constexpr int kSpan = kInputsPerLoad<kFormat>;
    const int row = blockIdx.x, outputs = gridDim.x, pieces = args.inputs / (kSpan / 4);
    const uint4* source = args.weight + static_cast<size_t>(row) * pieces;
    Bf16* target = args.output + static_cast<size_t>(row) * args.inputs;
    for (int piece = threadIdx.x; piece < pieces; piece += Spec::kThreads) {
        uint4 loaded = load_streaming(source + piece);
#pragma unroll
        for (int j = 0; j < kSpan / 32; j++) {
            int input = piece / 4 * kSpan + 32 * j + piece % 4 * 8;
            Eight values = unpack<kFormat>(loaded, j);
            if constexpr (Spec::kGroup > 0) scale(values, args.scales[static_cast<size_t>(input / Spec::kGroup) * outputs + row]);
            *reinterpret_cast<uint4*>(target + input) = {values.pair[0], values.pair[1], values.pair[2], values.pair[3]};
        }
    }
}

} // namespace ernie
