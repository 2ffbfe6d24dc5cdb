// Device form of MirostatSampler: a bound on the surprise that each draw corrects; the correction is the request's state.
struct MirostatSampler {
    static constexpr bool kSplits = true;

    struct Parameters {
        ernie::Truncation limits;
        float target_bits, rate;
    };

    // total is of all tokens; it is needed again when one is drawn.
    struct State {
        float correction, total;
    };

    template <class Weights>
    static __device__ void before_limits(Weights& weights, const Parameters& parameters) {
        State& state = *reinterpret_cast<State*>(weights.row.head().state);
        const float bound = 2 * parameters.target_bits + state.correction;
        float mean_depth;
        const float total = static_cast<float>(weights.total(mean_depth) * 0x1p-40);
        if (weights.row.is_leader()) state.total = total;
        weights.cut_below(fminf(1, total * exp2f(-bound)));
    }

    template <class Weights>
    static __device__ void after_draw(Weights& weights, const Parameters& parameters, int token) {
        if (!weights.row.is_leader()) return;
        State& state = *reinterpret_cast<State*>(weights.row.head().state);
        const float surprise = log2f(state.total) + weights.depth(weights.row.logits[token]) * 1.44269504f;
        state.correction -= parameters.rate * (surprise - parameters.target_bits);
    }
};
