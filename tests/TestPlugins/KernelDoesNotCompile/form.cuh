// Broken on purpose: see the test that reads the compiler's message.
struct Misspelt {
    static constexpr bool kSplits = true;

    struct Parameters {
        ernie::Truncation limits;
    };

    template <class Weights>
    static __device__ void before_limits(Weights& weights, const Parameters& parameters) { weights.cut_bellow(parameters.limits.min_p); }
};
