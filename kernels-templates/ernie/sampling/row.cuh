// One row of logits as a sampler's device form sees it, and what the form may do with it. Part of the plugin contract.
//
// All threads of a block call a form together; of a form that declares kSplits, those of up to kMaxRowBlocks blocks, each of
// which has its own share of the tokens: for_each visits it. Functions that say "together" must be called by every thread, and
// give every thread the same result.
#pragma once
#include "ernie/sampling/keys.cuh"
#include "ernie/sampling/slot.cuh"

namespace ernie {

inline constexpr int kMaxRowBlocks = 8; // blocks that share a row
inline constexpr int kMaxValues = 8;    // values of one reduction
inline constexpr int kBins = 4096;      // of a histogram

// The thread's index, of which the compiler does not know that it is the same each time: it would keep what it computes from it,
// mostly addresses, and registers are few.
__device__ __forceinline__ unsigned thread() {
    unsigned index = threadIdx.x;
    asm volatile("" : "+r"(index));
    return index;
}

// A value that other blocks wait for: each half beside a tag that tells it from what was there before.
__device__ __forceinline__ void store_tagged(uint4* word, Mass value, unsigned tag) {
    asm volatile("st.volatile.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(word), "r"(static_cast<unsigned>(value)), "r"(tag),
                 "r"(static_cast<unsigned>(value >> 32)), "r"(tag)
                 : "memory");
}

__device__ __forceinline__ Mass wait_tagged(const uint4* word, unsigned tag) {
    unsigned low, low_tag, high, high_tag;
    do {
        asm volatile("ld.volatile.global.v4.u32 {%0, %1, %2, %3}, [%4];"
                     : "=r"(low), "=r"(low_tag), "=r"(high), "=r"(high_tag)
                     : "l"(word)
                     : "memory");
    } while (low_tag != tag || high_tag != tag);
    return static_cast<Mass>(high) << 32 | low;
}

// A list of forms.
template <class... Form>
struct Functors {};

// Memory through which the blocks of a row talk.
template <int kThreads>
struct RowChannel {
    uint4 words[2][kMaxRowBlocks][kMaxValues]; // used in turn
    Mass list[kThreads];
    unsigned short bins[kMaxRowBlocks][kBins];
};

// Tokens whose sum is kept by accumulate(): as many tiles as a block has threads, at most.
template <class Spec>
inline constexpr int kTileTokens = 256 * ((Spec::kVocabulary + 256 * Spec::kThreads - 1) / (256 * Spec::kThreads));

// The standard parameters: the first 16 bytes of a shipped sampler's block.
struct Truncation {
    float inverse_temperature; // 0: greedy
    int top_k;                 // 0 keeps all
    float top_p, min_p;
};

// What is the same in all threads of a row; in shared memory, because registers are few.
struct RowHead {
    Philox random;        // keyed by the request's seed and this token's position
    const int* counts;    // occurrences in the output (mask off kInPrompt), or null when the sampler did not ask for them
    const int* tail;      // token at position p in tail[p % kTailTokens], for the last kTailTokens positions
    unsigned char* state; // [kScratchBytes] of the request, zero at its first draw; written by one thread: see is_leader()
    void* channel;
    int sampler;
    int slot, batch_row;
    unsigned sequence;    // of the step
    Truncation limits;    // of a form that cuts
    int position;         // of the token being drawn
    int generated;        // tokens drawn before it
    const unsigned* mask; // [vocabulary / 32] tokens that may come, where the request uses a mask
    int block, blocks;    // of the row
    unsigned tag;         // of the next exchange
    int end_at_stop, end_otherwise; // RowEnd with a stop token, and with any other
};

template <class Spec>
struct RowShared {
    RowHead head;
    alignas(16) unsigned char parameters[kParameterCapacity];
    int stops[kStopCapacity]; // the row's stop tokens, then -1
    Mass warps[kMaxValues][32];
    Mass sums[32];
    Mass block[kMaxValues];
    Mass team[kMaxRowBlocks * kMaxValues];
    float best[Spec::kThreads]; // each thread's largest logit, -infinity when it has none
    Mass tiles[2][(Spec::kVocabulary + kTileTokens<Spec> - 1) / kTileTokens<Spec>]; // of the block's share: see tally()
    Mass list[Spec::kThreads];
    unsigned bins[kBins];
    Mass above, wanted, kept; // of Weights: while it narrows a range, and what is tallied when it is known
    unsigned low, high;       // of the range that it tries first
    float typical;            // and other fields of Weights
    bool is_surveyed;
    int last_equal, last_at_reach, listed, passed;
    int count;
};

template <class Spec>
struct Row {
    static constexpr int kThreads = Spec::kThreads;
    static constexpr int kWarps = kThreads / 32;
    static constexpr int kTile = kTileTokens<Spec>;
    static constexpr int vocabulary = Spec::kVocabulary;

    float* logits; // after biases, penalties and masks; a form's prepare() may change those of its share
    RowShared<Spec>& shared;
    Mass top;      // the row's largest logit and its token, as a sortable pair
    bool is_tallied; // whether shared.tiles[0] are sums of what Weights has left, not yet running ones

    __device__ const RowHead& head() const { return shared.head; }
    __device__ int first_tile() const { return head().block * kTiles / head().blocks; }
    __device__ int end_tile() const { return (head().block + 1) * kTiles / head().blocks; }
    __device__ int first() const { return first_tile() * kTile; }
    __device__ int end() const { return min(end_tile() * kTile, vocabulary); }
    __device__ bool is_mine(int token) const { return token >= first() && token < end(); }

    // Whether this thread is the one that writes what is written once.
    __device__ bool is_leader() const { return head().block == 0 && thread() == 0; }

    // 2 kThreads ints in shared memory, free between calls of other functions.
    __device__ int* scratch() { return reinterpret_cast<int*>(shared.list); }

    // Calls f(token, logit) for this thread's tokens, in increasing order.
    template <class F>
    __device__ void for_each(F f) const {
        const int last = end();
        int token = first() + thread() * 4;
        float4 next = load(token, last);
#pragma unroll 1
        while (token < last) {
            // The next four are on their way while f works.
            const float4 x = next;
            next = load(token + kThreads * 4, last);
            in_pairs(token, x, f);
            token += kThreads * 4;
        }
    }

    // Sums, or maxima, of several values at once. Together.
    template <class Operation, int kCount>
    __device__ void combine(Mass (&values)[kCount]) {
        static_assert(kCount <= kMaxValues, "at most kMaxValues at a time");
        const int lane = thread() % 32, warp = thread() / 32;
#pragma unroll
        for (int k = 0; k < kCount; k++) {
            Mass value = warp_combine<Operation>(values[k]);
            if (lane == 0) shared.warps[k][warp] = value;
        }
        __syncthreads();
        for (int k = warp; k < kCount; k += kWarps) {
            Mass value = warp_combine<Operation>(lane < kWarps ? shared.warps[k][lane] : 0);
            if (lane == 0) shared.block[k] = value;
        }
        __syncthreads();
        if (head().blocks == 1) {
#pragma unroll
            for (int k = 0; k < kCount; k++) values[k] = shared.block[k];
            return;
        }
        exchange<kCount>();
#pragma unroll
        for (int k = 0; k < kCount; k++) {
            values[k] = 0;
            for (int b = 0; b < head().blocks; b++) values[k] = Operation::apply(values[k], shared.team[b * kCount + k]);
        }
    }

    // Together.
    template <int kCount>
    __device__ void sum(Mass (&values)[kCount]) { combine<Sum>(values); }

    // Together.
    __device__ Mass sum(Mass value) {
        Mass values[1] = {value};
        combine<Sum>(values);
        return values[0];
    }

    // Together.
    __device__ Mass maximum(Mass value) {
        Mass values[1] = {value};
        combine<Maximum>(values);
        return values[0];
    }

    // The largest logit; -infinity when there is no number among them.
    __device__ float largest() const { return top == 0 ? -__uint_as_float(0x7f800000u) : from_sortable(static_cast<unsigned>(top >> 32)); }

    // The most probable token, the lowest id on a tie.
    __device__ int most_probable() const { return top == 0 ? 0 : static_cast<int>(~static_cast<unsigned>(top)); }

    // Finds each thread's and the row's largest logit; the kernel has done so before it calls a form. Together.
    __device__ void scan() {
        constexpr int kAtOnce = 4; // loads in flight: a greedy row has nothing else to wait for
        const float lowest = -__uint_as_float(0x7f800000u);
        float best = lowest;
        int token_of_best = -1;
        auto consider = [&](int token, float logit) {
            if (logit > best) {
                best = logit;
                token_of_best = token;
            }
        };
        const int last = end();
#pragma unroll 1
        for (int token = first() + thread() * 4; token < last; token += kAtOnce * kThreads * 4) {
            float4 x[kAtOnce];
#pragma unroll
            for (int i = 0; i < kAtOnce; i++) {
                const int at = token + i * kThreads * 4;
                x[i] = at < last ? *reinterpret_cast<const float4*>(logits + at) : float4{lowest, lowest, lowest, lowest};
            }
#pragma unroll
            for (int i = 0; i < kAtOnce; i++) {
                const int at = token + i * kThreads * 4;
                consider(at, x[i].x);
                consider(at + 1, x[i].y);
                consider(at + 2, x[i].z);
                consider(at + 3, x[i].w);
            }
        }
        shared.best[thread()] = best;
        top = maximum(token_of_best < 0 ? 0 : static_cast<Mass>(sortable(best)) << 32 | ~static_cast<unsigned>(token_of_best));
    }

    // A sortable logit that at least count tokens reach, and not many more. Together.
    __device__ unsigned reached_by(int count) {
        // Among the largest of each thread: the others can only add to them. Eight thousand steps of an f32 are near enough.
        const unsigned key = sortable(shared.best[thread()]);
        unsigned low = 0, high = 0xffffffffu;
#pragma unroll 1
        while (high - low > 0x2000) {
            unsigned middle = low + (high - low) / 2;
            if (__syncthreads_count(key >= middle) >= count) low = middle;
            else high = middle;
        }
        return head().blocks == 1 ? low : static_cast<unsigned>(maximum(low));
    }

    // Calls f(token, logit, sums) for the tokens of the block's share, a warp for each tile of kTile tokens. What f adds to sums[k]
    // is summed up in shared.tiles[k], tile by tile. Together in a block.
    template <int kCount, class F>
    __device__ void tally(F f) {
        const int lane = thread() % 32, last = end();
        int tile = thread() / 32, token = first() + tile * kTile + lane * 4;
        float4 next = load(token, last);
#pragma unroll 1
        for (; token - lane * 4 < last; tile += kWarps) {
            Mass sums[kCount] = {};
#pragma unroll 1
            for (int part = 0; part < kTile; part += 128) {
                // The next four are on their way while f works.
                const float4 x = next;
                const int now = token;
                token += part + 128 < kTile ? 128 : kWarps * kTile - (kTile - 128);
                next = load(token, last);
                if (now < last) in_pairs(now, x, [&](int one, float logit) { f(one, logit, sums); });
            }
#pragma unroll
            for (int k = 0; k < kCount; k++) {
                sums[k] = warp_combine<Sum>(sums[k]);
                if (lane == 0) shared.tiles[k][tile] = sums[k];
            }
        }
        is_tallied = false;
        __syncthreads();
    }

    // The block's sum of tally().
    __device__ Mass tallied(int k) const { return thread() < end_tile() - first_tile() ? shared.tiles[k][thread()] : 0; }

    // Adds to the sum of a token of the block's share, from 0 of tally() on. Any thread.
    __device__ void add_to_tile(int token, Mass mass) { atomicAdd(&shared.tiles[0][token / kTile - first_tile()], mass); }

    // Makes running sums, for locate(), of those of tally(). Returns the row's. Together.
    __device__ Mass run(int k) {
        __syncthreads();
        const int tiles = end_tile() - first_tile();
        const Mass sum = prefix(tallied(k));
        if (thread() < tiles) shared.tiles[k][thread()] = sum;
        if (thread() == tiles - 1) shared.block[0] = sum;
        is_tallied = false;
        __syncthreads();
        if (head().blocks == 1) return shared.block[0];
        exchange<1>();
        Mass all = 0;
        for (int b = 0; b < head().blocks; b++) all += shared.team[b];
        return all;
    }

    // Sums f(token, logit) over the row's tokens and remembers the sums on the way, for locate(). Together.
    template <class F>
    __device__ Mass accumulate(F f) {
        tally<1>([&](int token, float logit, Mass (&sums)[1]) { sums[0] += f(token, logit); });
        return run(0);
    }

    // The token at which the sum of f that the last run(k), or accumulate(f), made, in order of ids, reaches target, in [1, that sum]. Together.
    template <class F>
    __device__ int locate(F f, Mass target, int k = 0) {
        const int lane = thread() % 32, tiles = end_tile() - first_tile();
        Mass before = 0; // of the blocks before this one
        if (head().blocks > 1)
            for (int b = 0; b < head().block; b++) before += shared.team[b];
        const int skipped = __syncthreads_count(thread() < tiles && before + shared.tiles[k][thread()] < target);
        Mass found = 0;
        if (before < target && skipped < tiles && thread() < 32) {
            Mass reached = before + (skipped > 0 ? shared.tiles[k][skipped - 1] : 0);
            const int tile = (first_tile() + skipped) * kTile;
#pragma unroll 1
            for (int token = tile + lane; token - lane < min(tile + kTile, vocabulary); token += 32) {
                Mass value = warp_prefix(token < vocabulary ? f(token, logits[token]) : 0);
                unsigned reaching = __ballot_sync(kFullWarp, reached + value >= target);
                if (reaching != 0) {
                    found = token - lane + __ffs(reaching);
                    break;
                }
                reached += __shfl_sync(kFullWarp, value, 31);
            }
        }
        return static_cast<int>(maximum(found)) - 1;
    }

    // Sums values, and shared.bins over the row's blocks if asked, which is possible once for a row; a bin's count above 65,535 in
    // one of several blocks is taken as that. Together.
    template <int kCount>
    __device__ void sum_bins(Mass (&values)[kCount], bool with_bins) {
        static_assert(kBins % 4 == 0, "four bins at a time");
        const bool shares = with_bins && head().blocks > 1;
        __syncthreads();
        if (shares) {
            for (int i = thread() * 4; i < kBins; i += kThreads * 4) {
                Mass four = 0;
                for (int j = 0; j < 4; j++) four |= static_cast<Mass>(min(shared.bins[i + j], 0xffffu)) << 16 * j;
                *reinterpret_cast<volatile Mass*>(channel()->bins[head().block] + i) = four;
            }
            __threadfence();
        }
        sum(values);
        if (!shares) return;
        __threadfence();
        for (int b = 0; b < head().blocks; b++) {
            if (b == head().block) continue;
            for (int i = thread() * 4; i < kBins; i += kThreads * 4) {
                const Mass four = *reinterpret_cast<volatile Mass*>(channel()->bins[b] + i);
                for (int j = 0; j < 4; j++) shared.bins[i + j] += static_cast<unsigned>(four >> 16 * j) & 0xffffu;
            }
        }
        __syncthreads();
    }

    struct Push {
        RowShared<Spec>& shared;

        __device__ void operator()(Mass key) const {
            int at = atomicAdd(&shared.count, 1);
            if (at < kThreads) shared.list[at] = key;
        }
    };

    // Gathers keys other than 0 in shared.list, the greatest first and zeros behind them. visit(push) calls push(key) for those of
    // this thread's share. Returns how many there are; more than kThreads are not kept. Together.
    template <class Visit>
    __device__ int collect(Visit visit) {
        const Push push = begin_list();
        visit(push);
        Mass counts[1] = {list_count()};
        sum(counts);
        return end_list<1, 0>(static_cast<int>(counts[0]));
    }

    // The parts of collect(): what is pushed between them is gathered. Together, the last two after sum() of kCount values of which
    // the one at kIndex was list_count(), and its sum, with no other function between.
    __device__ Push begin_list() {
        __syncthreads();
        if (thread() == 0) shared.count = 0;
        __syncthreads();
        return Push{shared};
    }

    // The block's number of pushed keys, in one thread; 0 in others.
    __device__ Mass list_count() {
        __syncthreads();
        return thread() == 0 ? shared.count : 0;
    }

    template <int kCount, int kIndex>
    __device__ int end_list(int count) {
        if (count > kThreads) return count;
        if (head().blocks > 1) share_list<kCount, kIndex>(count);
        sort(thread() < count ? shared.list[thread()] : 0, count);
        return count;
    }

    // Puts the threads' keys, of which all but the first count are 0, into shared.list, the greatest first. Together in a block.
    __device__ void sort(Mass key, int count) {
        int size = 32;
        while (size < count) size *= 2;
        const int t = thread();
#pragma unroll 1
        for (int length = 2; length <= size; length *= 2) {
#pragma unroll 1
            for (int distance = length / 2; distance > 0; distance /= 2) {
                Mass other;
                if (distance < 32) {
                    other = __shfl_xor_sync(kFullWarp, key, distance);
                } else {
                    __syncthreads();
                    shared.list[t] = key;
                    __syncthreads();
                    other = shared.list[t ^ distance];
                }
                const bool takes_greater = ((t & length) == 0) == ((t & distance) == 0);
                key = takes_greater == (other > key) ? other : key;
            }
        }
        __syncthreads();
        shared.list[t] = t < count ? key : 0;
        __syncthreads();
    }

    // Sum of the values of this thread and those before it. Together in a block.
    __device__ Mass prefix(Mass value) {
        const int lane = thread() % 32, warp = thread() / 32;
        value = warp_prefix(value);
        if (lane == 31) shared.warps[0][warp] = value;
        __syncthreads();
        if (warp == 0) {
            Mass sums = warp_prefix(lane < kWarps ? shared.warps[0][lane] : 0);
            if (lane < kWarps) shared.sums[lane] = sums;
        }
        __syncthreads();
        return value + (warp > 0 ? shared.sums[warp - 1] : 0);
    }

    // Sum over the block's threads of the last prefix().
    __device__ Mass last_prefix() const { return shared.sums[kWarps - 1]; }

private:
    // Four logits, of a token before the last.
    __device__ float4 load(int token, int last) const {
        return token < last ? *reinterpret_cast<const float4*>(logits + token) : float4{};
    }

    // Two at a time: four copies of what samplers do with a token make kernels large and slow to compile.
    template <class F>
    static __device__ __forceinline__ void in_pairs(int token, float4 x, F f) {
        float first = x.x, second = x.y;
#pragma unroll 1
        for (int i = 0; i < 4; i += 2) {
            f(token + i, first);
            f(token + i + 1, second);
            first = x.z;
            second = x.w;
        }
    }

    static constexpr int kTiles = (vocabulary + kTile - 1) / kTile;

    template <class Operation>
    static __device__ Mass warp_combine(Mass value) {
        if constexpr (requires { Operation::of_warp(value); }) return Operation::of_warp(value);
#pragma unroll
        for (int distance = 16; distance > 0; distance /= 2) value = Operation::apply(value, __shfl_xor_sync(kFullWarp, value, distance));
        return value;
    }

    static __device__ Mass warp_prefix(Mass value) {
#pragma unroll
        for (int distance = 1; distance < 32; distance *= 2) {
            Mass other = __shfl_up_sync(kFullWarp, value, distance);
            if (thread() % 32 >= distance) value += other;
        }
        return value;
    }

    // Every block's shared.block[0 .. kCount) to every block's shared.team. A buffer is written again two exchanges later, which
    // needs the exchange between them, which no block enters before it has read the first.
    template <int kCount>
    __device__ void exchange() {
        const unsigned tag = head().tag;
        uint4 (&words)[kMaxRowBlocks][kMaxValues] = channel()->words[tag % 2];
        if (thread() < kCount) store_tagged(&words[head().block][thread()], shared.block[thread()], tag);
        if (thread() < head().blocks * kCount)
            shared.team[thread()] = wait_tagged(&words[thread() / kCount][thread() % kCount], tag);
        __syncthreads();
        // Seen by the others behind the barrier that every exchange has before it.
        if (thread() == 0) shared.head.tag = tag + 1;
    }

    __device__ RowChannel<kThreads>* channel() const { return static_cast<RowChannel<kThreads>*>(head().channel); }

    // Puts the blocks' lists, whose lengths are among the values of the last exchange, behind each other in every block's.
    template <int kCount, int kIndex>
    __device__ void share_list(int all) {
        int at = 0;
        for (int b = 0; b < head().block; b++) at += static_cast<int>(shared.team[b * kCount + kIndex]);
        const int count = static_cast<int>(shared.team[head().block * kCount + kIndex]);
        if (thread() < count) channel()->list[at + thread()] = shared.list[thread()];
        __threadfence();
        __syncthreads();
        exchange<1>();
        __threadfence();
        if (thread() < all) shared.list[thread()] = reinterpret_cast<volatile Mass*>(channel()->list)[thread()];
        __syncthreads();
    }
};

} // namespace ernie
