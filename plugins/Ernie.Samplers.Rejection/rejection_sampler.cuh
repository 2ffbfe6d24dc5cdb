// Device form of RejectionSampler: dual-pivot rejection. A token is drawn from all that are not ruled out and taken if what ranks
// before it stays within the limits; else all that rank no better than it, or than a second pivot half way to the top, are ruled out.
struct RejectionSampler {
    static constexpr bool kSplits = true;

    struct Parameters {
        ernie::Truncation limits;
    };

    static __device__ bool counts(const Parameters& parameters) { return parameters.limits.top_k > 0; }
    static __device__ bool sums(const Parameters& parameters) { return parameters.limits.top_p < 1; }

    // Top-p counts from the mass that top-k left, so with both that set has to be known first.
    static __device__ ernie::Truncation limits(const Parameters& parameters) {
        const ernie::Truncation& limits = parameters.limits;
        return {limits.inverse_temperature, counts(parameters) && sums(parameters) ? limits.top_k : 0, 1, limits.min_p};
    }

    template <class Weights>
    static __device__ int draw(Weights& weights, const Parameters& parameters) {
        using ernie::Mass;
        auto& row = weights.row;
        unsigned low = 0, high = weights.kOne; // bits; what ranks before (low, low_token) is not ruled out
        int low_token = 0, running = 0;
        auto left = [&](int token, float logit) {
            const unsigned bits = weights.bits(token, logit);
            return bits > low || (bits == low && token < low_token) ? weights.mass(bits) : 0;
        };
        Mass range = row.accumulate(left);
        const Mass enough = sums(parameters) ? weights.part(parameters.limits.top_p, range) : ~Mass(0);
#pragma unroll 1
        for (unsigned attempt = 0;; attempt++) {
            const int token = row.locate(left, weights.part(weights.uniform(row.head().random.block(attempt).x), range), running);
            if (!counts(parameters) && !sums(parameters)) return token;

            const unsigned pivot = weights.bits(token, row.logits[token]);
            const unsigned second = __float_as_uint((__uint_as_float(pivot) + __uint_as_float(high)) / 2);
            // What ranks before the token, and what is above the second pivot. One of them is the range of the next attempt.
            unsigned tokens_before = 0, tokens_above = 0;
            row.template tally<2>([&](int other, float logit, Mass (&sums)[2]) {
                const unsigned bits = weights.bits(other, logit);
                const Mass mass = weights.mass(bits);
                const bool is_before = bits > pivot | (bits == pivot & other < token), is_above = bits > second;
                tokens_before += is_before;
                sums[0] += is_before ? mass : 0;
                tokens_above += is_above;
                sums[1] += is_above ? mass : 0;
            });
            const Mass most = counts(parameters) && !sums(parameters) ? parameters.limits.top_k : weights.kOne;
            Mass before[4] = {tokens_before, tokens_above, row.tallied(0), row.tallied(1)};
            row.sum(before);
            if (before[0] < most && before[2] < enough) return token;
            const bool second_is_in = before[1] < most && before[3] < enough;
            low = second_is_in ? pivot : second;
            low_token = second_is_in ? token : 0;
            if (second_is_in) high = second;
            running = second_is_in ? 0 : 1;
            range = row.run(running);
        }
    }
};
