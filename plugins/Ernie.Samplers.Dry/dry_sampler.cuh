// Device form of DrySampler: penalises what would extend a repetition at the end of the sequence, then the standard limits.
struct DrySampler {
    static constexpr bool kSplits = true;
    static constexpr int kBreakers = 8;

    struct Parameters {
        ernie::Truncation limits;
        float multiplier, base;
        int allowed_length;
        int breakers[kBreakers]; // -1 is none
    };

    static __device__ bool is_breaker(int token, const Parameters& parameters) {
        for (int i = 0; i < kBreakers; i++)
            if (token == parameters.breakers[i]) return true;
        return false;
    }

    template <class Row>
    static __device__ void prepare(Row& row, const Parameters& parameters) {
        if (!(parameters.multiplier > 0)) return;
        const int count = min(row.head().position, ernie::kTailTokens);
        int* tail = row.scratch();          // the last tokens, oldest first
        int* lengths = tail + ernie::kTailTokens;    // of the repetition that each would extend
        int* breaks = tail + 2 * ernie::kTailTokens; // whether no repetition may cross it
        for (int i = threadIdx.x; i < count; i += Row::kThreads) {
            tail[i] = row.head().tail[(row.head().position - count + i) % ernie::kTailTokens];
            breaks[i] = is_breaker(tail[i], parameters);
        }
        __syncthreads();
        for (int i = threadIdx.x; i < count; i += Row::kThreads) {
            int length = 0;
            while (length < i && tail[i - 1 - length] == tail[count - 1 - length] && !breaks[i - 1 - length]) length++;
            lengths[i] = length;
        }
        __syncthreads();
        for (int i = threadIdx.x; i < count; i += Row::kThreads) {
            const int token = tail[i], length = lengths[i];
            if (i == 0 || length < parameters.allowed_length || !row.is_mine(token)) continue;
            // A token after several repetitions is penalised once, for the longest; the first of equal ones counts.
            bool is_longest = true;
            for (int other = 1; other < count && is_longest; other++)
                is_longest = tail[other] != token || lengths[other] < length || (lengths[other] == length && other >= i);
            if (is_longest) row.logits[token] -= fminf(parameters.multiplier * powf(parameters.base, length - parameters.allowed_length), 1e6f);
        }
    }
};
