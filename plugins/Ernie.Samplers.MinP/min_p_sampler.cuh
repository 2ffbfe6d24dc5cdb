// Device form of MinPSampler: the standard limits; the host has put in its own min_p where the request has none.
struct MinPSampler {
    static constexpr bool kSplits = true;

    struct Parameters {
        ernie::Truncation limits;
    };
};
