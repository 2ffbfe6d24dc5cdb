// Device form of TopNSigmaSampler: logits within some standard deviations of the largest, then temperature, min_p, top_k and top_p.
struct TopNSigmaSampler {
    static constexpr bool kSplits = true;

    struct Parameters {
        ernie::Truncation limits;
        float deviations;
    };

    template <class Weights>
    static __device__ void before_limits(Weights& weights, const Parameters& parameters) {
        // Of the tokens that are not masked. In steps of 2^-20, so that the sums are the same in every order.
        constexpr float kMasked = -1.0e38f;
        ernie::Mass sums[3] = {};
        weights.row.for_each([&](int, float logit) {
            if (!(logit > kMasked)) return;
            const float below = weights.largest - logit;
            sums[0]++;
            sums[1] += static_cast<ernie::Mass>(below * 0x1p20f);
            sums[2] += static_cast<ernie::Mass>(below * below * 0x1p20f);
        });
        weights.row.sum(sums);
        const double mean = sums[1] * 0x1p-20 / sums[0], variance = sums[2] * 0x1p-20 / sums[0] - mean * mean;
        // Weights are relative to the largest: a distance in logits is a ratio of weights.
        const float distance = parameters.deviations * sqrtf(static_cast<float>(fmax(0.0, variance)));
        weights.cut_below(expf(-distance * weights.inverse_temperature));
    }
};
