// Device form of both cutoff samplers: tokens of at least a probability, then min_p, top_k and top_p.
struct CutoffSampler {
    static constexpr bool kSplits = true;

    struct Parameters {
        ernie::Truncation limits;
        float cutoff;
        int follows_entropy; // eta: the cutoff falls with the entropy; epsilon: it does not
    };

    template <class Weights>
    static __device__ void before_limits(Weights& weights, const Parameters& parameters) {
        float mean_depth;
        const double total = weights.total(mean_depth) * 0x1p-40;
        double least = parameters.cutoff;
        // e to the minus entropy, which is ln(total) + mean depth.
        if (parameters.follows_entropy) least = fmin(least, sqrt(least) * expf(-mean_depth) / total);
        weights.cut_below(static_cast<float>(fmin(1.0, least * total)));
    }
};
