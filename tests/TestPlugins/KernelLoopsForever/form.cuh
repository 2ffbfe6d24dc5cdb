// Compiles, and does not end on a device: see docs/plugins.md about the watchdog.
struct LoopsForever {
    template <class Row>
    static __device__ int sample(Row& row) {
        volatile int* never = row.scratch();
        *never = 0;
        while (*never == 0) {}
        return 0;
    }
};
