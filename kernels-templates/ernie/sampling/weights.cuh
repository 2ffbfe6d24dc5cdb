// What samplers share: a row as weights e^((logit - largest) / temperature), the cuts that leave some of them, and the draw from
// what is left. Part of the plugin contract. Weights are computed again in each pass: a pass is bound by memory, and rows stay as
// they are. Tokens rank by weight, the lower id first on a tie; positive floats order as their bits do.
#pragma once
#include "ernie/sampling/row.cuh"

namespace ernie {

// The last token to stay of some that rank in an order.
struct Cut {
    unsigned rank;
    int last_equal; // of those that rank equal the last to stay
};

template <class Row>
struct Weights {
    static constexpr unsigned kOne = 0x3f800000u; // bits of 1, the largest weight
    static constexpr int kPivots = 3;             // a pass that narrows tells 4 parts of a range apart
    static constexpr int kListed = Row::kThreads * 3 / 8;

    Row& row;
    float largest, inverse_temperature;
    Cut least;           // what ranks lower has been dropped
    float typical = 1;   // part of the mass that limit() keeps of what is nearest to the entropy, before its other cuts
    float centre, reach; // what lies further than reach from centre, both in nats below the largest, has been dropped; reach < 0: nothing
    int last_at_reach;
    unsigned ceiling;    // weights from here on have been dropped, but for one token
    int exception;
    int listed, passed;  // where row.shared.list holds all that stays, best first: its end and what was dropped at its beginning; 0: it does not

    __device__ Weights(Row& row, float inverse_temperature)
        : row(row), largest(row.largest()), inverse_temperature(inverse_temperature), least{1, Row::vocabulary - 1}, centre(0), reach(-1),
          last_at_reach(0), ceiling(0xffffffffu), exception(-1), listed(0), passed(0) {}

    // In steps of 2^-40, rounded down. Shifts, because converting a float to 64 bits is slow.
    static __device__ Mass mass(unsigned bits) {
        const Mass digits = static_cast<Mass>(bits & 0x7fffffu | 0x800000u) << 17;
        return digits >> min(127 - (bits >> 23), 63u);
    }

    // A part of a mass: at most the whole, also where the product is rounded up.
    static __device__ Mass part(double of, Mass whole) {
        const Mass wanted = static_cast<Mass>(ceil(of * static_cast<double>(whole)));
        return wanted < whole ? wanted : whole;
    }

    // In (0, 1], from 32 random bits.
    static __device__ double uniform(unsigned bits) { return (bits + 1.0) * (1.0 / 4294967296.0); }

    // How far a logit lies under the largest, in nats. Rounded by itself: fused with what follows, it would be another number in each place.
    __device__ float depth(float logit) const { return __fmul_rn(largest - logit, inverse_temperature); }

    // A token's weight as bits; 0 for what has been dropped.
    __device__ unsigned bits(int token, float logit) const {
        const float below = depth(logit), weight = expf(-below);
        const unsigned value = weight > 0 ? __float_as_uint(weight) : 0;
        if (reach >= 0) {
            const float away = fabsf(below - centre);
            if (!(away < reach) && !(away == reach && token <= last_at_reach)) return 0;
        }
        const bool stays = (value > least.rank || (value == least.rank && token <= least.last_equal)) && (value < ceiling || token == exception);
        return stays ? value : 0;
    }

    // Drops what weighs less than a part of the largest weight, but never the largest. Before limit().
    __device__ void cut_below(float weight) {
        if (weight > 0) least = {max(least.rank, weight < 1 ? __float_as_uint(weight) : kOne), Row::vocabulary - 1};
    }

    // Sum of what stays, and its mean depth: the entropy is ln(total) more. Together.
    __device__ Mass total(float& mean_depth) {
        Mass sums[2] = {};
        row.for_each([&](int token, float logit) { add(bits(token, logit), logit, sums[0], sums[1]); });
        row.sum(sums);
        mean_depth = mean(sums[0], sums[1]);
        return sums[0];
    }

    // Keeps what is typical, of that what is heavy enough, of that top_k tokens (0: all), of those the first that hold top_p of their mass. Together.
    __device__ void limit() {
        const Truncation& limits = row.head().limits;
        const bool counts = limits.top_k > 0 && limits.top_k < Row::vocabulary;
#pragma unroll 1
        for (Stage stage = Stage::kTypical; stage <= Stage::kMass; stage = static_cast<Stage>(static_cast<int>(stage) + 1)) {
            if (stage == Stage::kTypical && !(typical < 1)) continue;
            if (stage == Stage::kCount) {
                if (limits.min_p > 0) cut_below(limits.min_p * greatest());
                if (!counts && !(limits.top_p < 1)) return;
                if (reach < 0 && limit_listed(counts ? limits.top_k : 0, limits.top_p)) return;
                if (!counts) continue;
            }
            if (stage == Stage::kMass && !(limits.top_p < 1)) return;

            Mass sums[3] = {}; // mass, mass times depth, tokens
            row.for_each([&](int token, float logit) {
                const unsigned value = bits(token, logit);
                add(value, logit, sums[0], sums[1]);
                sums[2] += value != 0 ? 1 : 0;
            });
            row.sum(sums);
            const Mass whole = stage == Stage::kCount ? sums[2] : sums[0];
            const Mass wanted = stage == Stage::kCount ? limits.top_k : part(stage == Stage::kTypical ? typical : limits.top_p, whole);
            if (wanted >= whole) continue;
            const float mean_depth = mean(sums[0], sums[1]);
            const Cut cut = narrow(stage, mean_depth, wanted);
            if (stage == Stage::kTypical) {
                centre = mean_depth;
                reach = __uint_as_float(kInfinity - cut.rank);
                last_at_reach = cut.last_equal;
            } else {
                least = cut;
            }
        }
    }

    // Of the tokens that hold at least a part of the mass, drops all but the last in rank. After limit(). Together.
    __device__ void drop_top_choices(float part_of_mass) {
        const bool is_listed_whole = listed > 0;
        const unsigned own = is_listed_whole ? (is_listed() ? listed_bits() : 0) : 0;
        Mass all = 0;
        if (is_listed_whole) {
            row.prefix(own == 0 ? 0 : mass(own));
            all = row.last_prefix();
        } else {
            float ignored;
            all = total(ignored);
        }
        const float weight = static_cast<float>(part_of_mass * (static_cast<double>(all) * 0x1p-40));
        const unsigned floor = weight > 0 ? __float_as_uint(weight) : 1;
        if (is_listed_whole) {
            const int choices = __syncthreads_count(own >= floor);
            if (choices > 1) passed = choices - 1;
            return;
        }
        Mass choices = 0, last = 0;
        row.for_each([&](int token, float logit) {
            const unsigned value = bits(token, logit);
            if (value < floor) return;
            choices++;
            const Mass key = static_cast<Mass>(~value) << 32 | static_cast<unsigned>(token);
            last = key > last ? key : last;
        });
        choices = row.sum(choices);
        last = row.maximum(last);
        if (choices < 2) return;
        ceiling = floor;
        exception = static_cast<int>(static_cast<unsigned>(last));
    }

    // The token at which the running sum of what stays, in order of ids, reaches a part of the whole given by 32 random bits. Together.
    __device__ int draw(unsigned random) {
        if (listed > 0) return draw_listed(random);
        auto value = [&](int token, float logit) {
            const unsigned one = bits(token, logit);
            return one == 0 ? 0 : mass(one);
        };
        const Mass all = row.accumulate(value);
        return row.locate(value, part(uniform(random), all));
    }

private:
    enum class Stage { kTypical, kCount, kMass };

    static constexpr unsigned kInfinity = 0x7f800000u, kFurthest = 0x43000000u; // bits of 128 nats, beyond which no f32 weight lies

    static __device__ Mass key(unsigned rank, int token) { return static_cast<Mass>(rank) << 32 | ~static_cast<unsigned>(token); }
    static __device__ int token_of(Mass key) { return static_cast<int>(~static_cast<unsigned>(key)); }

    __device__ bool is_listed() const { return threadIdx.x >= passed && threadIdx.x < listed; }
    __device__ unsigned listed_bits() const { return static_cast<unsigned>(row.shared.list[threadIdx.x] >> 32); }

    __device__ void add(unsigned value, float logit, Mass& sum, Mass& sum_of_depths) const {
        if (value == 0) return;
        sum += mass(value);
        const float product = __uint_as_float(value) * depth(logit);
        sum_of_depths += product > 0 ? mass(__float_as_uint(product)) : 0;
    }

    static __device__ float mean(Mass sum, Mass sum_of_depths) {
        return static_cast<float>(static_cast<double>(sum_of_depths) / static_cast<double>(sum));
    }

    // The largest weight that stays. Together.
    __device__ float greatest() {
        if (reach < 0) return 1;
        unsigned most = 0;
        row.for_each([&](int token, float logit) { most = max(most, bits(token, logit)); });
        return __uint_as_float(static_cast<unsigned>(row.maximum(most)));
    }

    // limit() by way of a list of the best few hundred tokens; false when they are not enough to tell.
    __device__ bool limit_listed(int top_k, float top_p) {
        if (top_k > kListed) return false;
        // Where blocks share a row, each has about its part of the best; if it has far more, the list may be too short.
        const int blocks = row.head().blocks, wanted = top_k > 0 ? top_k : kListed, each = wanted / blocks;
        const unsigned reached = row.reached_by(blocks == 1 ? wanted : min(wanted, each + static_cast<int>(3 * sqrtf(each)) + 4));
        Mass all = 0;
        const int count = row.collect([&](typename Row::Push push) {
            // Of a thread whose largest logit is too small all are; but where the mass of all counts, all are looked at.
            if (top_k > 0 && sortable(row.shared.best[threadIdx.x]) < reached) return;
            row.for_each([&](int token, float logit) {
                if (top_k > 0 && sortable(logit) < reached) return;
                const unsigned value = bits(token, logit);
                if (value == 0) return;
                all += mass(value);
                if (sortable(logit) >= reached) push(key(value, token));
            });
        });
        if (count > Row::kThreads) return false;

        const int t = threadIdx.x;
        // Below the last in the list there may be more, unless that is below what other cuts left.
        const bool is_whole = __float_as_uint(expf(-depth(from_sortable(reached)))) < least.rank;
        const Mass sum = row.prefix(t < count ? mass(listed_bits()) : 0);
        int kept = count;
        if (top_k > 0) {
            if (count < top_k && !is_whole) return false;
            kept = min(count, top_k);
            if (t == kept - 1) row.shared.block[0] = sum;
            __syncthreads();
            all = row.shared.block[0];
            __syncthreads();
        } else {
            all = row.sum(all);
        }
        if (top_p < 1) {
            const Mass reach_for = part(top_p, all);
            const int needed = __syncthreads_count(t < kept && sum < reach_for) + 1;
            if (needed <= kept) kept = needed;
            else if (top_k == 0 && !is_whole) return false;
        }
        listed = kept;
        const Mass last = row.shared.list[kept - 1];
        least = {static_cast<unsigned>(last >> 32), token_of(last)};
        return true;
    }

    __device__ int draw_listed(unsigned random) {
        const int count = listed - passed;
        const Mass entry = row.shared.list[threadIdx.x];
        // In order of ids: the greatest first.
        row.sort(is_listed() ? entry << 32 | entry >> 32 : 0, listed);
        const Mass found = row.shared.list[threadIdx.x];
        const Mass sum = row.prefix(threadIdx.x < count ? mass(static_cast<unsigned>(found)) : 0);
        const Mass target = part(uniform(random), row.last_prefix());
        const int index = __syncthreads_count(threadIdx.x < count && sum < target);
        return token_of(row.shared.list[min(index, count - 1)] >> 32);
    }

    // How a stage ranks a token: the greater the better, 0 is out.
    __device__ unsigned rank(Stage stage, float mean_depth, unsigned value, float logit) const {
        if (stage != Stage::kTypical || value == 0) return value;
        return kInfinity - __float_as_uint(fminf(fabsf(depth(logit) - mean_depth), __uint_as_float(kFurthest)));
    }

    // Where a range of ranks is cut: at first where the cut of a model's logits mostly lies, then in equal parts.
    static __device__ unsigned pivot(Stage stage, int index, bool is_first, unsigned low, unsigned high) {
        const unsigned guess = stage == Stage::kTypical ? kInfinity - (0x40000000u - (index << 23)) // 2, 1, 1/2 nats
                                                        : kOne - ((9 - 3 * index) << 23);           // 2^-9, 2^-6, 2^-3
        return max(low + 1, min(high, is_first ? guess : low + (index + 1) * ((high - low + kPivots) / (kPivots + 1))));
    }

    // The last token to stay when those that a stage ranks best stay until they are, or hold, what is wanted, which all together exceed. Together.
    __device__ Cut narrow(Stage stage, float mean_depth, Mass wanted) {
        constexpr int kListable = 3 * Row::kThreads; // in a range that has just been cut by six
        unsigned low = stage == Stage::kTypical ? kInfinity - kFurthest : least.rank; // enough rank from here on
        unsigned high = (stage == Stage::kTypical ? kInfinity : kOne) + 1;            // too few from here on
        bool is_first = true;
        int inside = kListable + 1;                                                   // tokens of the range before it was last cut
        if (threadIdx.x == 0) {
            row.shared.above = 0; // of those from high on
            row.shared.wanted = wanted;
        }
        auto in_range = [&](int token, float logit, Mass& value) {
            const unsigned weight = bits(token, logit), place = rank(stage, mean_depth, weight, logit);
            value = stage == Stage::kCount ? 1 : mass(weight);
            return place >= low && place < high ? place : 0;
        };
#pragma unroll 1
        while (high - low > 1) {
            if (inside <= kListable) {
                const int count = row.collect([&](typename Row::Push push) {
                    row.for_each([&](int token, float logit) {
                        Mass value;
                        const unsigned place = in_range(token, logit, value);
                        if (place != 0) push(key(place, token));
                    });
                });
                if (count <= Row::kThreads) {
                    const Mass entry = row.shared.list[threadIdx.x];
                    Mass value = 0;
                    if (threadIdx.x < count) in_range(token_of(entry), row.logits[token_of(entry)], value);
                    const Mass sum = row.prefix(value);
                    const int index = min(__syncthreads_count(threadIdx.x < count && row.shared.above + sum < row.shared.wanted), count - 1);
                    const Mass last = row.shared.list[index];
                    return {static_cast<unsigned>(last >> 32), token_of(last)};
                }
            }
            unsigned pivots[kPivots];
            for (int p = 0; p < kPivots; p++) pivots[p] = pivot(stage, p, is_first, low, high);
            is_first = false;
            Mass values[kPivots + 1] = {};
            row.for_each([&](int token, float logit) {
                Mass value;
                const unsigned place = in_range(token, logit, value);
                if (place == 0) return;
#pragma unroll
                for (int p = 0; p < kPivots; p++) values[p] += place >= pivots[p] ? value : 0;
                values[kPivots]++;
            });
            row.sum(values);
            const Mass above = row.shared.above, needed = row.shared.wanted;
            unsigned new_low = low, new_high = high;
            Mass new_above = above;
#pragma unroll
            for (int p = kPivots - 1; p >= 0; p--) {
                if (pivots[p] >= high || new_low != low) continue;
                if (above + values[p] >= needed) {
                    new_low = pivots[p];
                } else {
                    new_high = pivots[p];
                    new_above = above + values[p];
                }
            }
            inside = static_cast<int>(values[kPivots]);
            low = new_low;
            high = new_high;
            __syncthreads();
            if (threadIdx.x == 0) row.shared.above = new_above;
        }
        // Of those that rank equal the first few by id stay.
        auto equal = [&](int token, float logit) {
            Mass value;
            return in_range(token, logit, value) != 0 ? value : 0;
        };
        const Mass all = row.accumulate(equal), rest = row.shared.wanted - row.shared.above;
        return {low, row.locate(equal, rest < all ? rest : all)};
    }
};

} // namespace ernie
