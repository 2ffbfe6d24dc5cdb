// Device form of TypicalSampler: the tokens nearest to the entropy, then min_p, top_k and top_p.
struct TypicalSampler {
    static constexpr bool kSplits = true;

    struct Parameters {
        ernie::Truncation limits;
        float typical_p;
    };

    template <class Weights>
    static __device__ void before_limits(Weights& weights, const Parameters& parameters) { weights.typical = parameters.typical_p; }
};
