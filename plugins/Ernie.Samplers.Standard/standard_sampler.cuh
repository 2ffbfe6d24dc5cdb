// Device form of StandardSampler: greedy, or temperature, min_p, top_k, top_p of what top_k left, and a draw in order of ids.
struct StandardSampler {
    static constexpr bool kSplits = true;

    struct Parameters {
        ernie::Truncation limits;
    };
};
