// Last kernel of a step: draws a token for each row that the device samples, and tells the host.
//   launch   (blocks per row, rows of logits) blocks of Spec::kThreads; with several blocks per row all of them must fit on the
//            device at once, because they wait for each other
// Spec::Functors lists the samplers' device forms in the order of their index, Spec::Processors those of the processors that come before
// them, in the order in which they do; forms.cuh and processors.cuh say what they are.
// The last row to be done advances the step, so that the next one needs no input from the host.
#pragma once
#include "ernie/common/device.cuh"
#include "ernie/common/step.cuh"
#include "ernie/sampling/forms.cuh"
#include "ernie/sampling/processors.cuh"

namespace ernie {

struct SampleArgs {
    StepHeader* header;
    float* logits;         // [rows, logit_stride]; rows with biases, masks or penalties are changed
    SlotTables tables;
    int4* records;         // mapped host memory [kRecordRing, row_capacity]: token (-1: had ended before), sequence, slot, RowEnd
    int* arrivals;         // zero between launches
    void* channels;        // RowChannel per row that blocks share
    float* kept;           // [rows, logit_stride] logits of rows that are kept, where what follows changes them
    int* is_kept;          // [rows] whether that is so; written for rows that are kept
    int logit_stride;
    int row_capacity;
};

// Words of a slot's mask; the host copies 16 bytes at a time.
template <class Spec>
inline constexpr int kMaskWords = (Spec::kVocabulary + 127) / 128 * 4;

inline constexpr int kRecordRing = 4; // steps whose records the host has not read

// Copies the block's share of a row for log_probabilities, if something is about to change it.
template <class Row>
__device__ void keep(const SampleArgs& args, const Row& row, int index, bool changes) {
    if (row.is_leader()) args.is_kept[index] = changes;
    if (!changes) return;
    float* kept = args.kept + static_cast<size_t>(index) * args.logit_stride;
    for (int token = row.first() + threadIdx.x * 4; token < row.end(); token += Row::kThreads * 4)
        *reinterpret_cast<float4*>(kept + token) = *reinterpret_cast<const float4*>(row.logits + token);
    __syncthreads();
}

// One 16-byte store: the host sees the token and its stamp together.
__device__ inline void tell_host(const SampleArgs& args, unsigned sequence, int batch_row, int slot, int token, int end) {
    int4* record = args.records + sequence % kRecordRing * args.row_capacity + batch_row;
    asm volatile("st.volatile.global.v4.s32 [%0], {%1, %2, %3, %4};" ::"l"(record), "r"(token), "r"(sequence), "r"(slot), "r"(end) : "memory");
}

// What a row's first warp does when its token is known: the sequence goes on with it or ends, and the host is told.
template <class Spec>
__device__ void report(const SampleArgs& args, const RowShared<Spec>& shared, int token) {
    const RowHead& head = shared.head;
    const bool is_stop = __any_sync(kFullWarp, shared.stops[threadIdx.x] == token);
    if (threadIdx.x > 0) return;
    const int end = is_stop ? head.end_at_stop : head.end_otherwise;
    // The host refuses a token that does not exist; until it does, the row goes on with one that does.
    const int valid = token >= 0 && token < Spec::kVocabulary ? token : 0;
    if (end != kGoesOn) args.tables.states[head.slot].end = end;
    args.tables.last_token[head.slot] = valid;
    args.tables.tails[static_cast<size_t>(head.slot) * kTailTokens + head.position % kTailTokens] = valid;
    if (head.counts != nullptr) atomicAdd(args.tables.counts + static_cast<size_t>(head.slot) * Spec::kVocabulary + valid, 1); // waits for nothing
    // A row of one token goes on with this one; one of several is described by the host in full.
    step_rows(args.header, args.row_capacity).start[head.batch_row] = head.position;
    tell_host(args, head.sequence, head.batch_row, head.slot, token >= 0 ? token : 0x7fffffff, end);
}

// One row, by one of its blocks.
template <class Spec>
__device__ __forceinline__ void sample_row(const SampleArgs& args, RowShared<Spec>& shared, int index, int block, int blocks) {
    static_assert(kStopCapacity == 32, "a stop token for each lane of a warp");
    // Written before this step's first kernel began, so that reading it need not wait; as few loads as may be wait for each other.
    const StepRows rows = step_rows(args.header, args.row_capacity);
    const int logit_count = args.header->logit_count, logit_token = rows.logit_token[index];
    const unsigned sequence = args.header->sequence;
    const int of_batch = rows.logit_row[index]; // negative: the host samples it
    if (index >= logit_count || of_batch < 0) return;
    const int slot = rows.slot[of_batch];
    const int position = rows.start[of_batch] + logit_token - rows.token_offset[of_batch] + 1;
    const SlotState& state = args.tables.states[slot];
    const int stop = threadIdx.x < kStopCapacity ? args.tables.stops[slot * kStopCapacity + threadIdx.x] : -1;
    if (state.end != kGoesOn) {
        wait_for_previous_kernel();
        if (block == 0 && threadIdx.x == 0) tell_host(args, sequence, of_batch, slot, -1, state.end);
        return;
    }
    const int sampler = state.sampler;
    if (blocks > 1 && !Forms<typename Spec::Functors>::splits(sampler)) {
        if (block > 0) return;
        blocks = 1;
    }
    const int* counts = state.counts_tokens ? args.tables.counts + static_cast<size_t>(slot) * Spec::kVocabulary : nullptr;
    if (threadIdx.x < kStopCapacity) shared.stops[threadIdx.x] = threadIdx.x < state.stop_count ? stop : -1;
    if (threadIdx.x < kParameterCapacity / 4)
        reinterpret_cast<int*>(shared.parameters)[threadIdx.x] = reinterpret_cast<const int*>(state.parameters)[threadIdx.x];
    if (threadIdx.x == 0) {
        const int length = position + 1, end = length >= state.max_length ? kMaxLength : kGoesOn;
        shared.head = {
            {state.seed_low, state.seed_high, static_cast<unsigned>(position), 0, state.stream},
            counts,
            args.tables.tails + static_cast<size_t>(slot) * kTailTokens,
            args.tables.scratch + static_cast<size_t>(slot) * kScratchBytes,
            static_cast<RowChannel<Spec::kThreads>*>(args.channels) + index,
            sampler,
            slot,
            of_batch,
            sequence,
            {},
            position,
            position - state.prompt_length,
            args.tables.masks + static_cast<size_t>(slot) * kMaskWords<Spec>,
            block,
            blocks,
            sequence * 0x9E3779B1u, // far from the tags of other steps
            length - state.prompt_length > state.min_tokens ? kStopToken : end,
            end};
    }
    __syncthreads();
    Row<Spec> row = {args.logits + static_cast<size_t>(index) * args.logit_stride, shared, 0, false};
    wait_for_previous_kernel();

    const unsigned processors = state.processors;
    if (state.keeps_logits == kKeepsRaw) keep(args, row, index, processors != 0 || prepares<typename Spec::Functors>(row));
    if (processors != 0) {
        using List = Processors<typename Spec::Processors>;
        List::process(row, processors, args.tables.processors + static_cast<size_t>(slot) * List::kStateBytes);
    }
    if (state.keeps_logits == kKeepsProcessed) keep(args, row, index, prepares<typename Spec::Functors>(row));
    const int token = sample_by<typename Spec::Functors>(row);
    if (row.head().block == 0 && threadIdx.x < 32) report(args, shared, token);
}

template <class Spec>
__device__ __forceinline__ void sample_rows(const SampleArgs& args) {
    static_assert(Spec::kVocabulary % 4 == 0, "four logits at a time");
    static_assert(Spec::kThreads <= 1024 && (Spec::kThreads & (Spec::kThreads - 1)) == 0, "sorts");
    __shared__ RowShared<Spec> shared;
    allow_next_kernel();
    sample_row<Spec>(args, shared, blockIdx.y, blockIdx.x, gridDim.x);
    wait_for_previous_kernel();

    // Who is done with a row has waited for all that its other blocks read of the step: the last of the rows may change it.
    if (blockIdx.x > 0 || threadIdx.x > 0) return;
    if (gridDim.y > 1) {
        if (atomicAdd(args.arrivals, 1) != gridDim.y - 1) return;
        *args.arrivals = 0;
    }
    args.header->update_count = 0;
    args.header->tokens_on_device = 1;
    args.header->sequence++;
}

} // namespace ernie
