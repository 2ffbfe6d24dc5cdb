// Tells the host how probable a token was: its logit and rank, the log-sum-exp of its row, and the row's best tokens.
//   launch   (blocks per row, rows) blocks of Spec::kThreads; each holds its share of a row in registers, so that a row is read once
// Shapes and order are those of the host's form, Ernie.Engine's LogitsPipeline.Rank: rank is 1 and how many logits are larger; the
// best tokens come best first, the lower id first among equals.
#pragma once
#include "ernie/common/step.cuh"
#include "ernie/sampling/keys.cuh"
#include "ernie/sampling/slot.cuh"

namespace ernie {

inline constexpr int kMostRivals = 20; // best tokens of a row that can be told

// What is asked of a row of logits.
struct LogProbabilityWish {
    int logit_row;
    int token;  // whose probability is asked for; -1: of the token that the slot has drawn last
    int slot;
    int rivals; // best tokens to be told, at most kMostRivals
};

// In mapped host memory; the stamp is written last.
struct alignas(16) LogProbabilityRecord {
    int token, rank;
    float logit;
    unsigned stamp;
    double log_sum; // log of the sum of the exponentials of the row
    int rivals[kMostRivals];
    float rival_logits[kMostRivals];
};

// What a block has found in its share.
struct LogProbabilityPart {
    float largest, sum; // largest logit, and sum of the exponentials of what logits are above it
    int greater;        // logits above the token's
    int unused;
};

struct LogProbabilityArgs {
    const float* logits;             // [rows, logit_stride] as the draw left them
    const float* kept;               // [rows, logit_stride] as they are to be told, where is_kept says that the draw changed them
    const int* is_kept;              // [rows], or null when no row was kept
    const StepHeader* header;        // of the step that has just drawn, whose wishes are meant; or null
    const LogProbabilityWish* wishes; // [gridDim.y], where there is no header
    const int* last_token;           // [slots]
    LogProbabilityPart* parts;       // [gridDim.y, gridDim.x]
    Mass* bests;                     // [gridDim.y, gridDim.x, kThreads] each thread's best token
    int* arrivals;                   // [gridDim.y] zero between launches
    LogProbabilityRecord* records;   // [gridDim.y] in mapped host memory; with a header, [ring, ring_stride]
    int logit_stride;
    unsigned stamp;                  // of the records, where there is no header
    int ring, ring_stride;
};

// A token with its logit, as one number: the better one is greater. Never 0.
__device__ __forceinline__ Mass token_key(float logit, int token) {
    // Adding zero makes the two zeros equal.
    return static_cast<Mass>(sortable(logit + 0.0f)) << 32 | ~static_cast<unsigned>(token);
}

// e^(logit - largest), 0 for minus infinity also where nothing is larger.
__device__ __forceinline__ float weight_below(float logit, float largest) {
    return logit == largest ? 1.0f : __expf(logit - largest);
}

template <int kThreads, int kOfThread>
struct LogProbabilityShared {
    Mass groups[32];
    Mass keys[kThreads];                      // those that are good enough to be looked at
    Mass owners[kMostRivals];                 // best tokens of the threads that may hold one of the best of the row, best first
    Mass candidates[kMostRivals * kOfThread]; // at most all tokens of the owners
    Mass floor;                               // key of the worst that is wanted
    int key_count, candidate_count;
    float largest[32], sum[32];
    int greater[32];
    LogProbabilityRecord record;
    bool is_last;
};

// How many keys are above one. Keys differ from each other.
__device__ __forceinline__ int rank_among(const Mass* keys, int count, Mass key) {
    int above = 0;
#pragma unroll 4
    for (int i = 0; i < count; i++) above += keys[i] > key ? 1 : 0;
    return above;
}

template <class Spec>
struct LogProbabilityShare {
    static constexpr int kThreads = Spec::kThreads;
    static constexpr int kVectors = Spec::kVectors;
    static constexpr int kWarps = kThreads / 32;
    using Shared = LogProbabilityShared<kThreads, 4 * kVectors>;

    Shared& shared;
    float4 logits[kVectors];

    // Token of the first logit of a vector of this thread.
    __device__ static int token_of(int vector) { return 4 * ((blockIdx.x * kVectors + vector) * kThreads + threadIdx.x); }

    __device__ void load(const float* row) {
        constexpr float kNothing = -3.4028234663852886e38f; // not an infinity: whoever is out of the row has no key either
#pragma unroll
        for (int i = 0; i < kVectors; i++) {
            const int token = token_of(i);
            logits[i] = token < Spec::kVocabulary ? *reinterpret_cast<const float4*>(row + token) : float4{kNothing, kNothing, kNothing, kNothing};
        }
    }

    template <class F>
    __device__ __forceinline__ void for_each(F f) const {
#pragma unroll
        for (int i = 0; i < kVectors; i++) {
            const int token = token_of(i);
            if (token >= Spec::kVocabulary) break;
            f(token, logits[i].x);
            f(token + 1, logits[i].y);
            f(token + 2, logits[i].z);
            f(token + 3, logits[i].w);
        }
    }

    // The thread's best token; 0 when it has none.
    __device__ Mass best() const {
        float most = 0;
        int token_of_most = -1;
        for_each([&](int token, float logit) {
            if (token_of_most < 0 || logit > most) {
                most = logit;
                token_of_most = token;
            }
        });
        return token_of_most < 0 ? 0 : token_key(most, token_of_most);
    }

    // Each warp's largest logit, sum of exponentials and number of logits above the token's, into shared memory.
    __device__ void survey(Mass best, float token_logit) {
        const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
        const unsigned most = warp_maximum(static_cast<unsigned>(best >> 32));
        const float largest = most == 0 ? -__uint_as_float(0x7f800000u) : from_sortable(most);
        float sum = 0;
        int greater = 0;
        for_each([&](int, float logit) {
            sum += weight_below(logit, largest);
            greater += logit > token_logit ? 1 : 0;
        });
        sum = warp_sum(sum);
        greater = __reduce_add_sync(kFullWarp, greater);
        if (lane == 0) {
            shared.largest[warp] = largest;
            shared.sum[warp] = sum;
            shared.greater[warp] = greater;
        }
    }

    // The warps' surveys together. By the first warp, behind a barrier.
    __device__ void conclude(LogProbabilityPart& part) const {
        const int lane = threadIdx.x;
        const float own = lane < kWarps ? shared.largest[lane] : -__uint_as_float(0x7f800000u);
        const float largest = warp_max(own);
        const float sum = warp_sum(lane < kWarps ? shared.sum[lane] * weight_below(own, largest) : 0);
        const int greater = __reduce_add_sync(kFullWarp, lane < kWarps ? shared.greater[lane] : 0);
        if (lane > 0) return;
        part.largest = largest;
        part.sum = sum;
        part.greater = greater;
    }
};

// The best tokens of a row, into the record, by the last of its blocks: tokens as good as the k-th best of the threads' best are in at most
// k threads, which bounds what is compared whatever the row is: ties, masks, or all of the best in one thread.
template <class Spec>
struct LogProbabilitySelection {
    using Share = LogProbabilityShare<Spec>;
    static constexpr int kThreads = Spec::kThreads;

    typename Share::Shared& shared;
    int wanted;

    // The wanted-th best of the threads' keys, or 1 where fewer threads have one. Together.
    // First the groups' best are compared, 32 of them, so that few threads' are.
    __device__ Mass wanted_of(Mass best) {
        constexpr int kGroup = kThreads / 32;
        const int lane = threadIdx.x % 32;
        Mass group = best;
#pragma unroll
        for (int distance = kGroup / 2; distance > 0; distance /= 2) group = Maximum::apply(group, __shfl_xor_sync(kFullWarp, group, distance));
        if (threadIdx.x % kGroup == 0) shared.groups[threadIdx.x / kGroup] = group;
        if (threadIdx.x == 0) {
            shared.key_count = 0;
            shared.floor = 1;
        }
        __syncthreads();
        const Mass of_lane = shared.groups[lane];
        const unsigned is_bound = __ballot_sync(kFullWarp, of_lane != 0 && rank_among(shared.groups, 32, of_lane) == wanted - 1);
        const Mass bound = is_bound == 0 ? 1 : shared.groups[__ffs(is_bound) - 1];
        if (best >= bound) shared.keys[atomicAdd(&shared.key_count, 1)] = best;
        __syncthreads();
        const int count = shared.key_count;
        if (threadIdx.x < count) {
            const Mass own = shared.keys[threadIdx.x];
            if (rank_among(shared.keys, count, own) == wanted - 1) shared.floor = own;
        }
        __syncthreads();
        const Mass floor = shared.floor;
        __syncthreads();
        return floor;
    }

    // Bests are those of all threads of all blocks. Together.
    __device__ void select(const Mass* bests, const float* row) {
        Mass own[Spec::kBlocks], best = 0;
#pragma unroll
        for (int b = 0; b < Spec::kBlocks; b++) {
            own[b] = __ldcg(bests + b * kThreads + threadIdx.x);
            best = Maximum::apply(best, own[b]);
        }
        const Mass enough = wanted_of(best);
        if (threadIdx.x == 0) {
            shared.key_count = 0;
            shared.candidate_count = 0;
            shared.floor = 1;
        }
        if (threadIdx.x < kMostRivals) shared.owners[threadIdx.x] = 0;
        __syncthreads();
#pragma unroll
        for (int b = 0; b < Spec::kBlocks; b++)
            if (own[b] >= enough) shared.keys[atomicAdd(&shared.key_count, 1)] = own[b];
        __syncthreads();
        const int count = shared.key_count;
        if (threadIdx.x < count) {
            const Mass key = shared.keys[threadIdx.x];
            const int rank = rank_among(shared.keys, count, key);
            if (rank < wanted) shared.owners[rank] = key;
            if (rank == wanted - 1) shared.floor = key;
        }
        __syncthreads();
        const Mass floor = shared.floor;
        if (threadIdx.x < wanted * Spec::kVectors) {
            const Mass owner = shared.owners[threadIdx.x / Spec::kVectors];
            const int vector = static_cast<int>(~static_cast<unsigned>(owner)) / 4, in_block = vector / kThreads % Spec::kVectors;
            const int token = 4 * (vector + (static_cast<int>(threadIdx.x % Spec::kVectors) - in_block) * kThreads);
            if (owner != 0 && token < Spec::kVocabulary) {
                const float4 x = *reinterpret_cast<const float4*>(row + token);
                consider(token, x.x, floor);
                consider(token + 1, x.y, floor);
                consider(token + 2, x.z, floor);
                consider(token + 3, x.w, floor);
            }
        }
        __syncthreads();
        const int candidates = shared.candidate_count;
#pragma unroll 1
        for (int i = threadIdx.x; i < candidates; i += kThreads) {
            const Mass key = shared.candidates[i];
            const int rank = rank_among(shared.candidates, candidates, key);
            if (rank >= wanted) continue;
            shared.record.rivals[rank] = static_cast<int>(~static_cast<unsigned>(key));
            shared.record.rival_logits[rank] = from_sortable(static_cast<unsigned>(key >> 32));
        }
    }

    __device__ void consider(int token, float logit, Mass floor) {
        const Mass key = token_key(logit, token);
        if (key >= floor) shared.candidates[atomicAdd(&shared.candidate_count, 1)] = key;
    }
};

// The blocks' parts of a row together, by the last of its blocks. Together.
template <class Shared>
__device__ void tell_log_probability(const LogProbabilityArgs& args, Shared& shared, int token, float token_logit) {
    const LogProbabilityPart* parts = args.parts + static_cast<size_t>(blockIdx.y) * gridDim.x;
    LogProbabilityRecord& record = shared.record;
    if (threadIdx.x == 0) {
        float largest = parts[0].largest;
#pragma unroll 1
        for (int b = 1; b < gridDim.x; b++) largest = fmaxf(largest, parts[b].largest);
        double sum = 0;
        int greater = 0;
#pragma unroll 1
        for (int b = 0; b < gridDim.x; b++) {
            sum += static_cast<double>(parts[b].sum) * weight_below(parts[b].largest, largest);
            greater += parts[b].greater;
        }
        record.token = token;
        record.rank = greater + 1;
        record.logit = token_logit;
        record.log_sum = largest + log(sum);
    }
    __syncthreads();
    // Across the bus in as few pieces as may be, the stamp when they have arrived.
    constexpr int kPieces = sizeof(LogProbabilityRecord) / sizeof(uint4);
    if (threadIdx.x >= 32) return;
    // The draw has counted the step already.
    const unsigned stamp = args.header != nullptr ? args.header->sequence - 1 : args.stamp;
    const size_t first = args.header != nullptr ? static_cast<size_t>(stamp % args.ring) * args.ring_stride : 0;
    uint4* told = reinterpret_cast<uint4*>(args.records + first + blockIdx.y);
    if (threadIdx.x > 0 && threadIdx.x < kPieces) told[threadIdx.x] = reinterpret_cast<const uint4*>(&record)[threadIdx.x];
    __threadfence_system();
    __syncwarp();
    if (threadIdx.x == 0)
        asm volatile("st.volatile.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(told), "r"(record.token), "r"(record.rank),
                     "r"(__float_as_uint(record.logit)), "r"(stamp)
                     : "memory");
}

template <class Spec>
__device__ __forceinline__ void log_probabilities(const LogProbabilityArgs& args) {
    using Share = LogProbabilityShare<Spec>;
    static_assert(Spec::kVocabulary % 4 == 0, "four logits at a time");
    static_assert(Spec::kThreads == 512, "groups of 16 threads, 32 of them");
    static_assert(kMostRivals <= 32, "a group of threads for each of the best");
    static_assert(Spec::kBlocks * kMostRivals <= Spec::kThreads && Spec::kVectors * kMostRivals <= Spec::kThreads, "a key, or a vector, a thread");
    __shared__ typename Share::Shared shared;
    allow_next_kernel();
    wait_for_previous_kernel();
    if (args.header != nullptr && blockIdx.y >= args.header->wish_count) return;
    const LogProbabilityWish* wishes =
        args.header != nullptr ? reinterpret_cast<const LogProbabilityWish*>(reinterpret_cast<const int*>(args.header) + args.header->wishes_offset) : args.wishes;
    const LogProbabilityWish wish = wishes[blockIdx.y];
    const int token = wish.token >= 0 ? wish.token : args.last_token[wish.slot];
    const bool is_kept = args.is_kept != nullptr && args.is_kept[wish.logit_row] != 0;
    const float* row = (is_kept ? args.kept : args.logits) + static_cast<size_t>(wish.logit_row) * args.logit_stride;
    Share share = {shared};
    share.load(row);
    const float token_logit = row[token];
    const Mass best = share.best();
    LogProbabilityPart& part = args.parts[static_cast<size_t>(blockIdx.y) * gridDim.x + blockIdx.x];
    share.survey(best, token_logit);
    Mass* bests = args.bests + static_cast<size_t>(blockIdx.y) * gridDim.x * Spec::kThreads;
    if (wish.rivals > 0) bests[blockIdx.x * Spec::kThreads + threadIdx.x] = best;
    __syncthreads();
    if (threadIdx.x < 32) share.conclude(part);
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        shared.is_last = atomicAdd(args.arrivals + blockIdx.y, 1) == gridDim.x - 1;
        if (shared.is_last) args.arrivals[blockIdx.y] = 0;
    }
    __syncthreads();
    if (!shared.is_last) return;
    __threadfence();
    if (wish.rivals > 0) LogProbabilitySelection<Spec>{shared, wish.rivals}.select(bests, row);
    tell_log_probability(args, shared, token, token_logit);
}

} // namespace ernie
