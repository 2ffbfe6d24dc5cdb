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
        int low_token = 0;
        const Mass most = counts(parameters) && !sums(parameters) ? parameters.limits.top_k : weights.kOne;
        Mass enough = ~Mass(0);
#pragma unroll 1
        for (unsigned attempt = 0;; attempt++) {
            auto left = [&](int token, float logit) {
                const unsigned bits = weights.bits(token, logit);
                return bits > low || (bits == low && token < low_token) ? weights.mass(bits) : 0;
            };
            const Mass range = row.accumulate(left);
            if (attempt == 0 && sums(parameters)) enough = weights.part(parameters.limits.top_p, range);
            const int token = row.locate(left, weights.part(weights.uniform(row.head().random.block(attempt).x), range));
            if (!counts(parameters) && !sums(parameters)) return token;

            const unsigned pivot = weights.bits(token, row.logits[token]);
            const unsigned second = __float_as_uint((__uint_as_float(pivot) + __uint_as_float(high)) / 2);
            Mass before[4] = {}; // tokens and mass before the token, and above the second pivot
            row.for_each([&](int other, float logit) {
                const unsigned bits = weights.bits(other, logit);
                const Mass mass = weights.mass(bits);
                if (bits > pivot || (bits == pivot && other < token)) {
                    before[0]++;
                    before[1] += mass;
                }
                if (bits > second) {
                    before[2]++;
                    before[3] += mass;
                }
            });
            row.sum(before);
            if (before[0] < most && before[1] < enough) return token;
            const bool second_is_in = before[2] < most && before[3] < enough;
            low = second_is_in ? pivot : second;
            low_token = second_is_in ? token : 0;
            if (second_is_in) high = second;
        }
    }
};
