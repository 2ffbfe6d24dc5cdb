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

    template <class Row>
    static __device__ void prepare(Row& row, const Parameters& parameters) {
        if (!(parameters.multiplier > 0)) return;
        const int count = min(row.head().position, ernie::kTailTokens), lane = threadIdx.x % 32, warp = threadIdx.x / 32;
        int* tail = row.scratch();                   // the last tokens, oldest first
        int* lengths = tail + ernie::kTailTokens;    // of the repetition that each would extend
        int* breaks = tail + 2 * ernie::kTailTokens; // whether no repetition may cross it
        for (int i = threadIdx.x; i < count; i += Row::kThreads) {
            const int token = row.head().tail[(row.head().position - count + i) % ernie::kTailTokens];
            bool is_breaker = false;
#pragma unroll
            for (int b = 0; b < kBreakers; b++) is_breaker |= token == parameters.breakers[b];
            tail[i] = token;
            breaks[i] = is_breaker;
        }
        __syncthreads();
        // A warp looks 32 tokens back at once.
        for (int i = warp; i < count; i += Row::kWarps) {
            int length = 0;
            for (bool goes_on = true; goes_on; length += 32) {
                const int at = i - 1 - length - lane;
                const bool matches = at >= 0 && tail[at] == tail[count - 1 - length - lane] && !breaks[at];
                const unsigned ends = __ballot_sync(ernie::kFullWarp, !matches);
                goes_on = ends == 0;
                if (!goes_on) length += __ffs(ends) - 1 - 32;
            }
            if (lane == 0) lengths[i] = length;
        }
        __syncthreads();
        for (int i = warp; i < count; i += Row::kWarps) {
            const int token = tail[i], length = lengths[i];
            if (i == 0 || length < parameters.allowed_length || !row.is_mine(token)) continue;
            // A token after several repetitions is penalised once, for the longest; the first of equal ones counts.
            bool is_longest = true;
            for (int other = lane; other < count; other += 32)
                is_longest &= other == 0 || tail[other] != token || lengths[other] < length || (lengths[other] == length && other >= i);
            if (__all_sync(ernie::kFullWarp, is_longest) && lane == 0)
                row.logits[token] -= fminf(parameters.multiplier * powf(parameters.base, length - parameters.allowed_length), 1e6f);
        }
    }
};
