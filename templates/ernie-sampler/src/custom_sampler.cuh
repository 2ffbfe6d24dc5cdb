// The same sampler on a GPU, inside the runtime's own kernel; without this file its rows, and only its rows, are drawn on the host.
// What a form may have and use: kernels-templates/ernie/sampling/forms.cuh, weights.cuh and row.cuh.
struct CustomSampler {
    // Several blocks may share a row: tokens are visited with Row's and Weights' functions only.
    static constexpr bool kSplits = true;

    // CustomSamplerParameters, byte by byte.
    struct Parameters {
        float inverse_temperature, top_a;
    };

    // No top_k, top_p or min_p: the sampler has a rule of its own.
    static __device__ ernie::Truncation limits(const Parameters& parameters) { return {parameters.inverse_temperature, 0, 1, 0}; }

    template <class Weights>
    static __device__ void before_limits(Weights& weights, const Parameters& parameters) {
        float mean_depth;
        const double total = weights.total(mean_depth) * 0x1p-40; // masses are integers: 2^40 is the most probable token
        weights.cut_below(static_cast<float>(parameters.top_a / total));
    }
};
