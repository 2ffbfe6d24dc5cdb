// What the persistent kernel is told, and where it keeps things: shares of a block, exchange buffers, shared memory, barriers.
#pragma once
#include "ernie/common/step.cuh"
#include "ernie/persistent/attend_past.cuh"
#include "ernie/persistent/matrix.cuh"

namespace ernie {

struct PersistentLayer {
    const char* weights[4]; // query + key + value, output, gate and up in turn, down
    const float* scales[4]; // per row [outputs], per group [blocks, groups, rows of a block], or null
    const Bf16* input_norm;
    const Bf16* post_norm;
    Bf16* keys;             // this layer's pages
    Bf16* values;
};

struct PersistentArgs {
    StepHeader* header;
    int* page_table;            // [slots, pages_per_slot]
    const int* last_token;      // [slots]
    const Bf16* embedding;      // [vocabulary, hidden]
    TokenPlace* places;         // [1] written for the sampling kernel
    const PersistentLayer* layers;
    const Bf16* final_norm;
    const char* head;           // [vocabulary, hidden]
    const float* head_scales;   // like a layer's, with the rows of a block in pieces: [blocks, pieces, groups, rows of a piece]
    const float2* rotations;    // [positions, head size / 2] cosine, sine
    float* logits;              // [vocabulary]
    ulonglong2* words;          // exchange buffers, zero before the first launch
    unsigned* trace;            // kTrace: [blocks, marks] clock
    int* note;                  // mapped host memory: what the watchdog saw
    int row_capacity;
    int pages_per_slot;
};

// Marks of a layer in the trace: those of the communicating warp, then those of a working one.
inline constexpr int kMarksPerLayer = 20, kWorkerMark = 11;

// Rows of a block.
struct Rows {
    int first, count;
};

// How a matrix's rows are shared out, eight together. Blocks of the first clusters have queries to compute, and the least of the other
// matrices; the rest is spread over the blocks of the others.
template <class Spec>
struct Share {
    static constexpr int kBlocks = Spec::kClusterBlocks * Spec::kClusters;
    static constexpr int kQueryBlocks = Spec::kClusterBlocks * (Spec::kHeads / Spec::kClusterHeads), kOtherBlocks = kBlocks - kQueryBlocks;
    static_assert(kOtherBlocks > 0, "a cluster for keys and values");

    static __device__ constexpr int least(int rows) { return rows / 8 / kBlocks; }
    static __device__ constexpr int most(int rows) { return max(least(rows), (rows / 8 - kQueryBlocks * least(rows) + kOtherBlocks - 1) / kOtherBlocks) * 8; }

    // late: which of two orders; matrices of both kinds do not have their larger shares in the same blocks.
    static __device__ __forceinline__ Rows of(int block, int rows, bool late) {
        const int low = least(rows);
        if (block < kQueryBlocks) return {block * low * 8, low * 8};
        const int rest = rows / 8 - kQueryBlocks * low, index = block - kQueryBlocks, rounding = late ? kOtherBlocks - 1 : 0;
        const int first = (rest * index + rounding) / kOtherBlocks, end = (rest * (index + 1) + rounding) / kOtherBlocks;
        return {(kQueryBlocks * low + first) * 8, (end - first) * 8};
    }

    static __device__ constexpr int max(int a, int b) { return a > b ? a : b; }
};

// A block's number is 8 * cluster + rank. The first clusters have one or two query heads each.
template <class Spec>
struct Layout {
    static constexpr int kWarps = Spec::kWorkingWarps;
    static constexpr int kWorkers = kWarps * 32;
    static constexpr int kRanks = Spec::kClusterBlocks;
    static constexpr int kBlocks = kRanks * Spec::kClusters;
    static constexpr int kQueryWidth = Spec::kHeads * Spec::kHeadSize;
    static constexpr int kKeyWidth = Spec::kKeyValueHeads * Spec::kHeadSize;
    static constexpr int kQueryClusters = Spec::kHeads / Spec::kClusterHeads;
    static_assert(kRanks == 8 && Spec::kHeads % Spec::kClusterHeads == 0, "clusters of eight blocks");
    static_assert(Spec::kHeads / Spec::kKeyValueHeads % Spec::kClusterHeads == 0, "a cluster's heads have the same keys");

    using Layers = Encoding<Spec::kLayerFormat, Spec::kLayerGroup>;
    using Head = Encoding<Spec::kHeadFormat, Spec::kHeadGroup>;

    // Rows of a block: of its cluster's queries, or of keys and values; of the other matrices at most.
    static constexpr int kQueryRows = Spec::kClusterHeads * Spec::kHeadSize / kRanks;
    static constexpr int kOwnRows = (2 * kKeyWidth / 8 + Share<Spec>::kOtherBlocks - 1) / Share<Spec>::kOtherBlocks * 8;
    static constexpr int kQkvRows = kQueryRows > kOwnRows ? kQueryRows : kOwnRows;
    static constexpr int kOutputRows = Share<Spec>::most(Spec::kHidden), kGateUpRows = Share<Spec>::most(2 * Spec::kIntermediate);
    static constexpr int kHeadPieceRows = 48;
    static_assert(kKeyWidth % 8 == 0 && Spec::kHidden % 8 == 0 && Spec::kIntermediate % 4 == 0 && Spec::kVocabulary % 8 == 0, "rows by eight");

    using QkvProduct = Product<Layers, Spec, kQkvRows, Spec::kHidden>;
    using OutputProduct = Product<Layers, Spec, kOutputRows, kQueryWidth>;
    using GateUpProduct = Product<Layers, Spec, kGateUpRows, Spec::kHidden>;
    using DownProduct = Product<Layers, Spec, kOutputRows, Spec::kIntermediate>;
    using HeadProduct = Product<Head, Spec, kHeadPieceRows, Spec::kHidden>;

    // One of a layer's matrices (query + key + value, output, gate + up, down), or the head (4).
    static __device__ __forceinline__ Rows rows(int block, int matrix) {
        if (matrix == 0) {
            constexpr int kQueryBlocks = Share<Spec>::kQueryBlocks, kOthers = Share<Spec>::kOtherBlocks, kEights = 2 * kKeyWidth / 8;
            if (block < kQueryBlocks) return {block * kQueryRows, kQueryRows};
            const int index = block - kQueryBlocks, first = (kEights * index + kOthers - 1) / kOthers, end = (kEights * (index + 1) + kOthers - 1) / kOthers;
            return {kQueryWidth + first * 8, (end - first) * 8};
        }
        return Share<Spec>::of(block, matrix == 2 ? 2 * Spec::kIntermediate : matrix == 4 ? Spec::kVocabulary : Spec::kHidden, matrix == 2);
    }

    static __device__ constexpr int inputs(int matrix) { return matrix == 1 ? kQueryWidth : matrix == 3 ? Spec::kIntermediate : Spec::kHidden; }

    // Words that a block polls of each kind of vector: f32 values of the residual, pairs of bf16 of the others.
    static constexpr int kHiddenSlice = Spec::kHidden / kRanks, kAttentionSlice = kQueryWidth / 2 / kRanks, kActivationSlice = Spec::kIntermediate / 2 / kRanks;

    // Exchange buffers, in pairs of words; each begins with a line of its own.
    static __device__ constexpr int lines(int words) { return (words / 2 + 7) / 8 * 8; }
    static constexpr int kOwnWords = 0; // keys, values
    static constexpr int kAttentionWords = kOwnWords + lines(kKeyWidth);
    static constexpr int kOutputWords = kAttentionWords + lines(kQueryWidth / 2);
    static constexpr int kActivationWords = kOutputWords + lines(Spec::kHidden);
    static constexpr int kDownWords = kActivationWords + lines(Spec::kIntermediate / 2);
    static constexpr int kAllWords = kDownWords + lines(Spec::kHidden);

    // Shared memory, in bytes.
    static constexpr int kMostInputs = Spec::kIntermediate > kQueryWidth ? Spec::kIntermediate > Spec::kHidden ? Spec::kIntermediate : Spec::kHidden
                                       : kQueryWidth > Spec::kHidden    ? kQueryWidth
                                                                        : Spec::kHidden;
    static constexpr int kScaleSlots = static_cast<int>(Ring<Spec>::kScaleSlots);
    static constexpr int kTiles = Ring<Spec>::kBytes;
    static constexpr int kVectors = kTiles + kWarps * PastTiles<Spec>::kBytes; // two: stages take turns
    static constexpr int kQuery = kVectors + 2 * kMostInputs * 2;
    static constexpr int kPartials = kQuery + Spec::kClusterHeads * Spec::kHeadSize * 2; // two: [warps, rows]
    // [warps, and the token itself; heads, values and weights]; in the same place: sums of products are read before queries leave the block,
    // and tiles before the vector of the next product is there.
    static constexpr int kPasts = kPartials;
    static constexpr int kPastBytes = (kWarps + 1) * Spec::kClusterHeads * PastTiles<Spec>::kStride * 4;
    static constexpr int kMerged = kPartials + Share<Spec>::max(2 * kWarps * kPieceRows * 4, kPastBytes); // [ranks, query rows] from the cluster's blocks
    static constexpr int kMergedWeights = kMerged + kRanks * kQueryRows * 4;  // [ranks] maximum, sum
    static constexpr int kSquares = kMergedWeights + kRanks * 8;              // [ranks]
    static constexpr int kSources = kSquares + kRanks * 4;                    // [warps, tiles] first keys of tiles
    static constexpr int kScales = kSources + kWarps * Spec::kWarpTiles * 4;
    static constexpr int kLayers = kScales + kScaleSlots * Spec::kScaleBytes;
    static constexpr int kRingBarriers = kLayers + Spec::kLayers * static_cast<int>(sizeof(PersistentLayer));
    static constexpr int kVectorBarrier = kRingBarriers + (Spec::kRingChunks + kScaleSlots) * 16; // two
    static constexpr int kSquaresBarrier = kVectorBarrier + 16;
    static constexpr int kQueryBarrier = kSquaresBarrier + 8;
    static constexpr int kMergeBarrier = kQueryBarrier + 8;
    static constexpr int kBytes = kMergeBarrier + 8;
    static_assert(kMostInputs % kUnit == 0 && kVectors % (kUnit * 2) == 0, "a unit's parts are addressed by its low bits");
    static_assert(kBytes == Spec::kSharedBytes && kAllWords * 16 == Spec::kExchangeBytes, "the plan counts as the kernel does");
    static_assert(Spec::kMarks == Spec::kLayers * kMarksPerLayer, "the plan's trace has room");

    // Named barriers of a block: working warps have their products ready, their tiles' results; the head's pieces.
    static constexpr int kProductsReady = 1, kTilesReady = 2, kPieceReady = 3;
    static constexpr int kThreadsOfExchange = kWorkers + 32;
};

// What a warp of either kind knows of the step.
template <class Spec>
struct Context {
    const PersistentArgs& args;
    char* shared;
    unsigned base; // the same as a shared address
    int cluster, rank, warp, lane;
    int slot, position, token;
    bool attends;
    unsigned tag;  // of the layer before the first

    __device__ __forceinline__ Context(const PersistentArgs& arguments, char* memory) : args(arguments), shared(memory), base(shared_address(memory)) {
        cluster = static_cast<int>(blockIdx.x) / Spec::kClusterBlocks;
        rank = static_cast<int>(blockIdx.x) % Spec::kClusterBlocks;
        warp = threadIdx.x / 32;
        lane = threadIdx.x % 32;
        attends = cluster < Layout<Spec>::kQueryClusters;
    }

    __device__ __forceinline__ Rows rows(int matrix) const { return Layout<Spec>::rows(static_cast<int>(blockIdx.x), matrix); }

    __device__ __forceinline__ void read_step() {
        const StepHeader header = *args.header;
        const StepRows rows = step_rows(args.header, args.row_capacity);
        slot = rows.slot[0];
        position = rows.start[0];
        token = header.tokens_on_device ? -1 : reinterpret_cast<const int2*>(reinterpret_cast<const int*>(args.header) + header.tokens_offset)[0].x;
        tag = header.sequence * (Spec::kLayers + 1);
    }

    __device__ __forceinline__ const PersistentLayer& layer(int index) const {
        return reinterpret_cast<const PersistentLayer*>(shared + Layout<Spec>::kLayers)[index];
    }

    __device__ __forceinline__ int key_value_head() const { return cluster * Spec::kClusterHeads / (Spec::kHeads / Spec::kKeyValueHeads); }

    // Page of a position. Another block may put the step's changes into the table before or after this: they are looked through here.
    __device__ __forceinline__ int page(int of_position) const {
        const int index = slot * args.pages_per_slot + of_position / Spec::kTokensPerPage;
        const int2* updates = reinterpret_cast<const int2*>(reinterpret_cast<const int*>(args.header) + args.header->updates_offset);
        int found = args.page_table[index];
#pragma unroll 1
        for (int i = 0; i < args.header->update_count; i++)
            if (updates[i].x == index) found = updates[i].y;
        return found;
    }

    // Where a position's key or value lies in a layer's pages, in keys from the first.
    __device__ __forceinline__ int place(int head, int of_position) const {
        return (page(of_position) * Spec::kKeyValueHeads + head) * Spec::kTokensPerPage + of_position % Spec::kTokensPerPage;
    }

    __device__ __forceinline__ float* partial(int buffer, int of_warp) const {
        return reinterpret_cast<float*>(shared + Layout<Spec>::kPartials) + (buffer * Layout<Spec>::kWarps + of_warp) * kPieceRows;
    }

    __device__ __forceinline__ float* past(int of_warp) const {
        return reinterpret_cast<float*>(shared + Layout<Spec>::kPasts) + of_warp * (Spec::kClusterHeads * PastTiles<Spec>::kStride);
    }

    // Tiles of earlier keys of this block; tiles go to the ranks in turn, and a rank's to its warps in turn.
    __device__ __forceinline__ int tiles() const {
        const int all = (position + kTileKeys - 1) / kTileKeys;
        return (all - rank + Spec::kClusterBlocks - 1) / Spec::kClusterBlocks;
    }

    // Whether this block attends to the token itself.
    __device__ __forceinline__ bool has_token() const { return rank == Spec::kClusterBlocks - 1; }

    __device__ __forceinline__ void wait(unsigned barrier, unsigned parity, int place) const { barrier_wait(base + barrier, parity, args.note, place); }

    __device__ __forceinline__ void mark(int index, int number) const {
        if constexpr (Spec::kTrace) {
            if (lane == 0) args.trace[blockIdx.x * Spec::kMarks + index * kMarksPerLayer + number] = clock_now();
        }
    }
};

} // namespace ernie
