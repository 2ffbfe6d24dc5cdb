// Device form of StandardSampler: greedy, or temperature, min_p, top_k, top_p of what top_k left, and a draw in id order.
// Nothing is sorted. Weights e^((logit - largest) / temperature) are recomputed in each pass over the row; masses are summed as
// integers (2^40 is the largest weight), so that they do not depend on the order of the threads. A cut is the bit pattern of the
// smallest weight that stays, found by narrowing its range with 7 pivots a pass: positive floats order as their bits do.
struct StandardSampler {
    struct Parameters {
        float inverse_temperature, min_p, top_p;
        int top_k;
    };

    using Mass = unsigned long long;
    static constexpr int kPivots = 7;

    // A row's weights; what lies below cut, or equals it at a later id than last_equal, has been dropped.
    template <class Row>
    struct Weights {
        Row& row;
        float largest, inverse_temperature;
        unsigned cut;
        int last_equal;

        __device__ unsigned bits(int i) const {
            float weight = expf((row.logits[i] - largest) * inverse_temperature);
            return weight > 0 ? __float_as_uint(weight) : 0;
        }
        __device__ bool keeps(unsigned weight, int i) const { return weight > cut || (weight == cut && i <= last_equal); }
        static __device__ Mass mass(unsigned weight) { return static_cast<Mass>(__uint_as_float(weight) * 0x1p40f); }

        // Sum of what stays of [first, end); every thread gets it.
        __device__ Mass total(int first, int end) const {
            Mass sum = 0;
            for (int i = first + threadIdx.x; i < end; i += blockDim.x) {
                unsigned weight = bits(i);
                if (keeps(weight, i)) sum += mass(weight);
            }
            return row.sum(sum);
        }

        // Keeps the best-ranking weights until they are count or weigh wanted.
        __device__ void limit(bool by_count, Mass wanted) {
            unsigned low = cut, high = __float_as_uint(1.0f) + 1; // at or above low there is enough, at or above high there is not
            while (high - low > 1) {
                unsigned step = (high - low + kPivots) / (kPivots + 1);
                Mass above[kPivots] = {};
                for (int i = threadIdx.x; i < row.vocabulary; i += blockDim.x) {
                    unsigned weight = bits(i);
                    if (!keeps(weight, i)) continue;
                    Mass value = by_count ? 1 : mass(weight);
                    for (int p = 0; p < kPivots; p++) above[p] += weight >= low + (p + 1) * step ? value : 0;
                }
                unsigned new_low = low, new_high = high;
                for (int p = 0; p < kPivots; p++) {
                    unsigned pivot = low + (p + 1) * step;
                    bool enough = pivot < high && row.sum(above[p]) >= wanted;
                    if (pivot >= high) continue;
                    if (enough) new_low = pivot;
                    else new_high = pivot < new_high ? pivot : new_high;
                }
                low = new_low;
                high = new_high;
            }

            // Of the weights that equal the cut the first few by id stay.
            Mass above = 0, equals = 0;
            for (int i = threadIdx.x; i < row.vocabulary; i += blockDim.x) {
                unsigned weight = bits(i);
                if (!keeps(weight, i)) continue;
                if (weight > low) above += by_count ? 1 : mass(weight);
                else if (weight == low) equals++;
            }
            above = row.sum(above);
            equals = row.sum(equals);
            Mass each = by_count ? 1 : mass(low);
            Mass room = each == 0 ? equals : (wanted - above + each - 1) / each;
            bool was_cut = low == cut;
            int previous_last = last_equal;
            cut = low;
            last_equal = was_cut ? previous_last : row.vocabulary - 1;
            if (equals <= room) return;

            int first = 0, end = last_equal; // the smallest id up to which there are room equals
            while (first < end) {
                int middle = (first + end) / 2;
                Mass count = 0;
                for (int i = threadIdx.x; i <= middle; i += blockDim.x) count += bits(i) == low ? 1 : 0;
                if (row.sum(count) >= room) end = middle;
                else first = middle + 1;
            }
            last_equal = first;
        }
    };

    template <class Row>
    static __device__ int sample(Row& row, const unsigned char* bytes) {
        const Parameters parameters = *reinterpret_cast<const Parameters*>(bytes);
        float largest = -3.4e38f;
        for (int i = threadIdx.x; i < row.vocabulary; i += blockDim.x) largest = fmaxf(largest, row.logits[i]);
        largest = row.maximum(largest);
        if (parameters.inverse_temperature == 0 || parameters.top_k == 1 || !(fabsf(largest) < 3.0e38f)) return row.most_probable();

        Weights<Row> weights = {row, largest, parameters.inverse_temperature, 1u, row.vocabulary - 1};
        if (parameters.min_p > 0) {
            weights.cut = __float_as_uint(parameters.min_p);
            weights.last_equal = row.vocabulary - 1;
        }
        if (parameters.top_k > 0 && parameters.top_k < row.vocabulary) {
            Mass kept = 0;
            for (int i = threadIdx.x; i < row.vocabulary; i += blockDim.x) kept += weights.keeps(weights.bits(i), i) ? 1 : 0;
            if (row.sum(kept) > parameters.top_k) weights.limit(true, parameters.top_k);
        }
        Mass total = weights.total(0, row.vocabulary);
        if (parameters.top_p < 1) {
            Mass wanted = static_cast<Mass>(ceil(parameters.top_p * static_cast<double>(total)));
            if (wanted < total) {
                weights.limit(false, wanted);
                total = weights.total(0, row.vocabulary);
            }
        }

        // The token at which the running sum in id order reaches a part of the whole: blocks of ids first, then one by one.
        double uniform = (row.random.block(0).x + 1.0) * (1.0 / 4294967296.0);
        Mass target = static_cast<Mass>(ceil(uniform * static_cast<double>(total)));
        int first = 0, end = row.vocabulary;
        Mass before = 0;
        while (end - first > 1) {
            int middle = (first + end) / 2;
            Mass left = weights.total(first, middle);
            if (before + left >= target) {
                end = middle;
            } else {
                before += left;
                first = middle;
            }
        }
        return first;
    }
};
