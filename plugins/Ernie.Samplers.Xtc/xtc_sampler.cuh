// Device form of XtcSampler: min_p, top_k, top_p, then now and then without the top choices.
struct XtcSampler {
    static constexpr bool kSplits = true;
    static constexpr unsigned kDrawNumber = 1; // the first decides about the top choices, whether or not there are any

    struct Parameters {
        ernie::Truncation limits;
        float probability, threshold;
    };

    template <class Weights>
    static __device__ void after_limits(Weights& weights, const Parameters& parameters) {
        if (weights.uniform(weights.row.head().random.block(0).x) <= parameters.probability) weights.drop_top_choices(parameters.threshold);
    }
};
