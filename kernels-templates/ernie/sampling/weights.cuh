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
    static constexpr int kPivots = 2;             // a pass that narrows tells 3 parts of a range apart
    static constexpr int kBinWidth = 1 << 16;     // 128 bins from a weight to its half, down to 2^-32
    static constexpr int kListed = Row::kThreads * 3 / 8;

    Row& row;
    float largest, inverse_temperature;
    unsigned least;      // what weighs less, and of what weighs the same the tokens behind last_equal, has been dropped
    int& last_equal;
    float& typical;      // part of the mass that limit() keeps of what is nearest to the entropy, before its other cuts
    float centre, reach; // what lies further than reach from centre, both in nats below the largest, has been dropped; reach < 0: nothing
    int& last_at_reach;
    unsigned ceiling;    // weights from here on have been dropped, but for one token
    int exception;
    int &listed, &passed; // where row.shared.list holds all that stays, best first: its end and what was dropped at its beginning; 0: it does not
    bool& is_surveyed;   // row.shared.bins say how many tokens have which weight, of those that stayed at the time

    __device__ Weights(Row& row, float inverse_temperature)
        : row(row), largest(row.largest()), inverse_temperature(inverse_temperature), least(1), last_equal(row.shared.last_equal), typical(row.shared.typical), centre(0), reach(-1),
          last_at_reach(row.shared.last_at_reach), ceiling(0xffffffffu), exception(-1), listed(row.shared.listed), passed(row.shared.passed), is_surveyed(row.shared.is_surveyed) {
        // What is the same in all threads and seldom read lies in shared memory: registers are few. All threads write it.
        typical = 1;
        last_equal = Row::vocabulary - 1;
        listed = passed = 0;
        is_surveyed = false;
        __syncthreads();
    }

    // In steps of 2^-40, rounded down; 0 for bits of no number and of negative ones. Shifts, because converting a float to 64 bits is slow.
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

    // A logit's weight as bits, whether or not it has been dropped; 0 for what is no number.
    __device__ unsigned weight_of(float logit) const {
        const float weight = expf(-depth(logit));
        return weight > 0 ? __float_as_uint(weight) : 0;
    }

    // A token's weight as bits; 0 for what has been dropped.
    __device__ unsigned bits(int token, float logit) const {
        const float below = depth(logit);
        unsigned value = weight_of(logit);
        // Few branches, and those seldom taken: threads of a warp would take them one after the other.
        if (reach >= 0) {
            const float away = fabsf(below - centre);
            if (away >= reach && !(away == reach && token <= last_at_reach)) value = 0;
        }
        if (value <= least && (value != least || token > last_equal)) value = 0;
        if (value >= ceiling && token != exception) value = 0;
        return value;
    }

    // Drops what weighs less than a part of the largest weight, but never the largest. Before limit().
    __device__ void cut_below(float weight) {
        if (!(weight > 0)) return;
        const unsigned floor = weight < 1 ? __float_as_uint(weight) : kOne;
        if (floor <= least) return;
        least = floor;
        last_equal = Row::vocabulary - 1;
        row.is_tallied = false;
    }

    // Sum of what stays, and its mean depth: the entropy is ln(total) more. Together.
    __device__ __forceinline__ Mass total(float& mean_depth) {
        Mass sums[2] = {};
        survey<true>(sums);
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
                // What has been surveyed is better cut by that.
                if (reach < 0 && (counts || !is_surveyed) && limit_listed(counts ? limits.top_k : 0, limits.top_p)) return;
                if (!counts) continue;
            }
            if (stage == Stage::kMass && !(limits.top_p < 1)) return;
            apply(stage);
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
        } else if (row.is_tallied) {
            all = row.shared.kept;
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
        if (floor > kOne) return;
        Mass choices = 0, last = 0;
        // Few threads have any.
        if (weight_of(row.shared.best[thread()]) >= floor) {
            row.for_each([&](int token, float logit) {
                const unsigned value = bits(token, logit);
                if (value < floor) return;
                choices++;
                const Mass key = static_cast<Mass>(~value) << 32 | static_cast<unsigned>(token);
                last = key > last ? key : last;
                if (row.is_tallied) row.add_to_tile(token, 0 - mass(value));
            });
        }
        choices = row.sum(choices);
        last = row.maximum(last);
        if (choices == 0) return;
        exception = static_cast<int>(static_cast<unsigned>(last));
        if (choices > 1) ceiling = floor;
        if (row.is_tallied && thread() == 0 && row.is_mine(exception)) row.add_to_tile(exception, mass(~static_cast<unsigned>(last >> 32)));
        __syncthreads();
    }

    // The token at which the running sum of what stays, in order of ids, reaches a part of the whole given by 32 random bits. Together.
    __device__ int draw(unsigned random) {
        if (listed > 0) return draw_listed(random);
        auto value = [&](int token, float logit) { return mass(bits(token, logit)); };
        const Mass all = row.is_tallied ? row.run(0) : row.accumulate(value);
        return row.locate(value, part(uniform(random), all));
    }

private:
    enum class Stage { kTypical, kCount, kMass };

    static constexpr unsigned kInfinity = 0x7f800000u, kFurthest = 0x43000000u; // bits of 128 nats, beyond which no f32 weight lies

    static __device__ Mass key(unsigned rank, int token) { return static_cast<Mass>(rank) << 32 | ~static_cast<unsigned>(token); }
    static __device__ int token_of(Mass key) { return static_cast<int>(~static_cast<unsigned>(key)); }

    __device__ bool is_listed() const { return thread() >= passed && thread() < listed; }
    __device__ unsigned listed_bits() const { return static_cast<unsigned>(row.shared.list[thread()] >> 32); }

    __device__ void add(unsigned value, float logit, Mass& sum, Mass& sum_of_depths) const {
        sum += mass(value);
        sum_of_depths += mass(__float_as_uint(__uint_as_float(value) * depth(logit)));
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

    // limit() by way of a list of the best few hundred tokens; false when they are not enough to tell. Without top_k all tokens are
    // looked at, and counted as by survey(). Together.
    __device__ bool limit_listed(int top_k, float top_p) {
        if (top_k > kListed) return false;
        // Where blocks share a row, each has about its part of the best; if it has far more, the list may be too short.
        const bool counts = top_k > 0;
        const int blocks = row.head().blocks, wanted = counts ? top_k : kListed, each = wanted / blocks;
        const unsigned reached = row.reached_by(blocks == 1 ? wanted : min(wanted, each + static_cast<int>(3 * sqrtf(each)) + 4));
        if (!counts) clear_bins();
        Mass values[3] = {}; // of all, of those listed, and their number
        const typename Row::Push push = row.begin_list();
        // Of a thread whose largest logit is too small all are.
        if (!counts || sortable(row.shared.best[thread()]) >= reached) {
            row.for_each([&](int token, float logit) {
                const bool is_listed = sortable(logit) >= reached;
                if (counts && !is_listed) return;
                const unsigned value = bits(token, logit), bin = (kOne - value) / kBinWidth;
                const Mass one = mass(value);
                values[0] += one;
                if (!counts && bin < kBins) atomicAdd(&row.shared.bins[bin], 1u);
                if (is_listed && value != 0) {
                    values[1] += one;
                    push(key(value, token));
                }
            });
        }
        values[2] = row.list_count();
        row.sum_bins(values, !counts);
        if (!counts) is_surveyed = true;
        if (values[2] > Row::kThreads || (!counts && values[1] < part(top_p, values[0]))) return false;
        const int count = row.template end_list<3, 2>(static_cast<int>(values[2]));
        // Below the last in the list there may be more, unless that is below what other cuts left.
        if (counts && count < top_k && !(__float_as_uint(expf(-depth(from_sortable(reached)))) < least)) return false;

        const int t = thread();
        const Mass sum = row.prefix(t < count ? mass(listed_bits()) : 0);
        int kept = counts ? min(count, top_k) : count;
        if (top_p < 1) {
            if (t == kept - 1) row.shared.block[0] = sum;
            __syncthreads();
            const Mass reach_for = part(top_p, counts ? row.shared.block[0] : values[0]);
            kept = min(kept, __syncthreads_count(t < kept && sum < reach_for) + 1);
        }
        listed = kept;
        const Mass last = row.shared.list[kept - 1];
        least = static_cast<unsigned>(last >> 32);
        last_equal = token_of(last);
        return true;
    }

    __device__ int draw_listed(unsigned random) {
        const int count = listed - passed;
        const Mass entry = row.shared.list[thread()];
        // In order of ids: the greatest first.
        row.sort(is_listed() ? entry << 32 | entry >> 32 : 0, listed);
        const Mass found = row.shared.list[thread()];
        const Mass sum = row.prefix(thread() < count ? mass(static_cast<unsigned>(found)) : 0);
        const Mass target = part(uniform(random), row.last_prefix());
        const int index = __syncthreads_count(thread() < count && sum < target);
        return token_of(row.shared.list[min(index, count - 1)] >> 32);
    }

    // How a stage ranks a token: the greater the better, 0 is out.
    __device__ unsigned rank(Stage stage, unsigned value, float logit) const {
        if (stage != Stage::kTypical || value == 0) return value;
        return kInfinity - __float_as_uint(fminf(fabsf(depth(logit) - centre), __uint_as_float(kFurthest)));
    }

    static __device__ unsigned lowest(Stage stage) { return stage == Stage::kTypical ? kInfinity - kFurthest : 1; }
    static __device__ unsigned end(Stage stage) { return (stage == Stage::kTypical ? kInfinity : kOne) + 1; }

    // What a token counts where those of a stage are counted or summed up.
    static __device__ Mass value_of(Stage stage, unsigned weight) { return stage != Stage::kCount ? mass(weight) : weight != 0 ? 1 : 0; }

    __device__ void clear_bins() {
        for (int i = thread(); i < kBins; i += Row::kThreads) row.shared.bins[i] = 0;
        __syncthreads();
    }

    // Counts what stays by weight, unless that has been done, and sums it up, and its depths, if asked. Together.
    template <bool kSums>
    __device__ __forceinline__ void survey(Mass (&sums)[kSums ? 2 : 1]) {
        const bool is_first = !is_surveyed;
        if (is_first) clear_bins();
        row.for_each([&](int token, float logit) {
            const unsigned value = bits(token, logit), bin = (kOne - value) / kBinWidth;
            if constexpr (kSums) add(value, logit, sums[0], sums[1]);
            if (is_first && bin < kBins) atomicAdd(&row.shared.bins[bin], 1u);
        });
        is_surveyed = true;
        row.sum_bins(sums, is_first);
    }

    // Keeps those that a stage ranks best until they are, or hold, what is wanted of all. Together.
    __device__ void apply(Stage stage) {
        const Truncation& limits = row.head().limits;
        if (stage == Stage::kTypical) {
            const Mass whole = total(centre);
            guess_band(part(typical, whole));
        } else {
            Mass ignored[1] = {};
            if (!is_surveyed) survey<false>(ignored);
            guess_weight(stage);
        }
        const Cut cut = find(stage);
        if (cut.rank == 0) return;
        if (stage == Stage::kTypical) {
            reach = __uint_as_float(kInfinity - cut.rank);
            last_at_reach = cut.last_equal;
        } else {
            least = cut.rank;
            last_equal = cut.last_equal;
        }
    }

    // Weights of bins: the greatest, and one in the middle.
    static __device__ unsigned top_of(int bin) { return kOne - bin * kBinWidth; }
    static __device__ unsigned middle_of(int bin) { return bin == 0 ? kOne : top_of(bin) - kBinWidth / 2; }

    // A bin's tokens that stay, about.
    __device__ unsigned staying(int bin) const {
        if (top_of(bin) < least) return 0;
        if (reach >= 0 && !(fabsf(-logf(__uint_as_float(middle_of(bin))) - centre) <= reach)) return 0;
        return row.shared.bins[bin];
    }

    // Puts a range of weights in shared.low and .high, by the counts of bins: the last to stay is likely in it. The rest is checked. Together.
    __device__ void guess_weight(Stage stage) {
        constexpr int kOfThread = kBins / Row::kThreads, kLargeEnough = Row::kThreads * 5 / 8, kFurthestBin = 12;
        const int first = thread() * kOfThread;
        Mass values[kOfThread], own = 0;
#pragma unroll
        for (int i = 0; i < kOfThread; i++) {
            const int bin = first + i;
            values[i] = staying(bin) * value_of(stage, middle_of(bin));
            own += values[i];
        }
        Mass before = row.prefix(own) - own;
        const Mass whole = row.last_prefix();
        const Mass wanted = stage == Stage::kCount ? row.head().limits.top_k : part(row.head().limits.top_p, whole);
        if (thread() == 0) {
            row.shared.low = lowest(stage);
            row.shared.high = wanted > whole ? top_of(kBins - 1) + 1 : end(stage);
        }
        __syncthreads();
        if (before < wanted && wanted <= before + own) {
            int bin = first;
#pragma unroll
            for (int i = 0; i < kOfThread - 1; i++) {
                before += values[i];
                bin += before < wanted ? 1 : 0;
            }
            // As many bins around it as leave a list short enough.
            int best = bin, last = bin, room = kLargeEnough - static_cast<int>(row.shared.bins[bin]);
            for (int away = 1; away <= kFurthestBin; away++) {
                const int above = bin - away, below = bin + away;
                const int more = (above < 0 ? 0 : row.shared.bins[above]) + (below < kBins ? row.shared.bins[below] : 0);
                if (more > room) break;
                room -= more;
                best = max(above, 0);
                last = min(below, kBins - 1);
            }
            row.shared.high = top_of(best) + 1;
            row.shared.low = last == kBins - 1 ? lowest(stage) : top_of(last + 1) + 1;
        }
        __syncthreads();
    }

    // The same of distances from the centre of the typical ones. Together.
    __device__ void guess_band(Mass wanted) {
        constexpr int kOfThread = kBins / Row::kThreads;
        constexpr float kSteps = Row::kThreads, kReach = 16, kMost = 0.06f; // nats
        Mass own = 0;
        for (int bin = thread() * kOfThread; bin < (thread() + 1) * kOfThread; bin++) own += staying(bin) * mass(middle_of(bin));
        const Mass sum = row.prefix(own);
        row.shared.list[thread()] = sum; // of the weights down to here
        __syncthreads();
        // First among steps from 0 on, then within the step found.
        const auto is_short = [&](float distance) { return down_to(centre + distance) - down_to(centre - distance) < static_cast<float>(wanted); };
        float step = kReach / kSteps;
        float distance = step * __syncthreads_count(is_short(step * (thread() + 1)));
        distance += step / kSteps * __syncthreads_count(is_short(distance + step / kSteps * (thread() + 1)));
        if (thread() == 0) {
            // Tokens a nat at both ends say how far around it a list may go.
            const float tokens = around(centre + distance) + around(centre - distance);
            const float margin = fminf(kMost, Row::kThreads * 0.3f / (tokens + 1));
            row.shared.low = distance < kReach ? kInfinity - __float_as_uint(distance + margin) : lowest(Stage::kTypical);
            row.shared.high = distance > margin ? kInfinity - __float_as_uint(distance - margin) : end(Stage::kTypical);
        }
        __syncthreads();
    }

    // Mass of the weights down to a depth, about: by the running sums in shared.list, then bin by bin.
    __device__ float down_to(float depth) const {
        constexpr int kOfThread = kBins / Row::kThreads;
        const float place = (kOne - __float_as_uint(expf(-fminf(fmaxf(depth, 0), 80)))) / static_cast<float>(kBinWidth);
        if (place >= kBins) return static_cast<float>(row.shared.list[Row::kThreads - 1]);
        const int group = static_cast<int>(place) / kOfThread;
        float sum = group == 0 ? 0 : static_cast<float>(row.shared.list[group - 1]);
#pragma unroll
        for (int i = 0; i < kOfThread; i++) {
            const int bin = group * kOfThread + i;
            sum += fminf(fmaxf(place - bin, 0), 1) * (row.shared.bins[bin] * (__uint_as_float(middle_of(bin)) * 0x1p40f));
        }
        return sum;
    }

    // Tokens a nat at a depth.
    __device__ float around(float depth) const {
        if (!(depth >= 0)) return 0;
        const int bin = (kOne - __float_as_uint(expf(-fminf(depth, 80)))) / kBinWidth;
        if (bin >= kBins) return 0;
        const float top = __uint_as_float(top_of(bin)), width = top - __uint_as_float(top_of(bin + 1));
        return row.shared.bins[bin] * top / width;
    }

    // The last token to stay when those that a stage ranks best stay until they are, or hold, what is wanted; of rank 0 when all stay.
    // First in the range from shared.low to .high: one pass sums up what ranks above it, for the draw too, and lists what is in it.
    // Together.
    __device__ Cut find(Stage stage) {
        unsigned low = row.shared.low, high = row.shared.high;
        Mass values[4] = {}; // of those in the range, of all, of those above, and the number of those in the range
        const typename Row::Push push = row.begin_list();
        row.template tally<1>([&](int token, float logit, Mass (&sums)[1]) {
            const unsigned weight = bits(token, logit), place = rank(stage, weight, logit);
            const Mass value = value_of(stage, weight);
            values[1] += value;
            sums[0] += place >= high ? value : 0;
            if (place >= low && place < high) {
                values[0] += value;
                push(key(place, token));
            }
        });
        values[2] = row.tallied(0);
        values[3] = row.list_count();
        row.sum(values);
        const Mass above = values[2], inside = values[0], whole = values[1];
        const Truncation& limits = row.head().limits;
        const Mass wanted = stage == Stage::kCount ? limits.top_k : part(stage == Stage::kTypical ? typical : limits.top_p, whole);
        if (wanted >= whole) return {0, 0};
        if (above < wanted && wanted <= above + inside && values[3] <= Row::kThreads) {
            const int count = row.template end_list<4, 3>(static_cast<int>(values[3]));
            const Mass entry = row.shared.list[thread()];
            const int token = token_of(entry);
            const unsigned weight = thread() < count ? bits(token, row.logits[token]) : 0;
            const Mass sum = above + row.prefix(thread() < count ? value_of(stage, weight) : 0);
            const int index = __syncthreads_count(thread() < count && sum < wanted);
            if (stage != Stage::kCount) {
                if (thread() <= index && row.is_mine(token)) row.add_to_tile(token, mass(weight));
                if (thread() == index) row.shared.kept = sum;
                row.is_tallied = true;
            }
            const Mass last = row.shared.list[index];
            __syncthreads();
            return {static_cast<unsigned>(last >> 32), token_of(last)};
        }
        // It is not in the range, or the range holds too many.
        Mass already = above;
        if (above >= wanted) {
            low = high;
            high = end(stage);
            already = 0;
        } else if (above + inside < wanted) {
            high = low;
            low = lowest(stage);
            already = above + inside;
        }
        return narrow(stage, low, high, already, wanted);
    }

    // The same in a range of ranks that holds the last token to stay. Together.
    __device__ Cut narrow(Stage stage, unsigned low, unsigned high, Mass above, Mass wanted) {
        constexpr int kListable = 3 * Row::kThreads; // in a range that has just been cut by three
        int inside = kListable + 1;                  // tokens of the range before it was last cut
        __syncthreads();
        if (thread() == 0) {
            row.shared.above = above; // of those from high on
            row.shared.wanted = wanted;
        }
        auto in_range = [&](int token, float logit, Mass& value) {
            const unsigned weight = bits(token, logit), place = rank(stage, weight, logit);
            value = value_of(stage, weight);
            return weight != 0 && place >= low && place < high ? place : 0;
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
                    const Mass entry = row.shared.list[thread()];
                    Mass value = 0;
                    if (thread() < count) in_range(token_of(entry), row.logits[token_of(entry)], value);
                    const Mass sum = row.prefix(value);
                    const int index = min(__syncthreads_count(thread() < count && row.shared.above + sum < row.shared.wanted), count - 1);
                    const Mass last = row.shared.list[index];
                    return {static_cast<unsigned>(last >> 32), token_of(last)};
                }
            }
            unsigned pivots[kPivots];
            for (int p = 0; p < kPivots; p++) pivots[p] = max(low + 1, min(high, low + (p + 1) * ((high - low + kPivots) / (kPivots + 1))));
            Mass values[kPivots + 1] = {};
            unsigned tokens = 0;
            row.for_each([&](int token, float logit) {
                Mass value;
                const unsigned place = in_range(token, logit, value);
                if (place == 0) return;
#pragma unroll
                for (int p = 0; p < kPivots; p++) values[p] += place >= pivots[p] ? value : 0;
                tokens++;
            });
            values[kPivots] = tokens;
            row.sum(values);
            const Mass already = row.shared.above, needed = row.shared.wanted;
            unsigned new_low = low, new_high = high;
            Mass new_above = already;
#pragma unroll
            for (int p = kPivots - 1; p >= 0; p--) {
                if (pivots[p] >= high || new_low != low) continue;
                if (already + values[p] >= needed) {
                    new_low = pivots[p];
                } else {
                    new_high = pivots[p];
                    new_above = already + values[p];
                }
            }
            inside = static_cast<int>(values[kPivots]);
            low = new_low;
            high = new_high;
            __syncthreads();
            if (thread() == 0) row.shared.above = new_above;
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
