// The same sampler on a GPU, inside the runtime's own kernel; without this file its rows, and only its rows, are drawn on the host.
// What a form may have and use: kernels-templates/ernie/sampling/forms.cuh, weights.cuh and row.cuh.
struct CustomSampler {
    // Several blocks may share a row: tokens are visited with Row's and Weights' functions only.
    static constexpr bool kSplits = true;

    // CustomSamplerParameters, byte by byte.
    struct Parameters {
        ernie::Truncation limits;
        float top_a;
    };

    // The rule of its own; min_p, top_k and top_p follow by themselves.
    template <class Weights>
    static __device__ void before_limits(Weights& weights, const Parameters& parameters) {
        float mean_depth;
        const double total = weights.total(mean_depth) * 0x1p-40; // masses are integers: 2^40 is the most probable token
        weights.cut_below(static_cast<float>(parameters.top_a / total));
    }
};
