// What the persistent kernel is told, and where it keeps things: parts of matrices, exchange buffers, shared memory, barriers.
#pragma once
#include "ernie/common/step.cuh"
#include "ernie/persistent/attend_past.cuh"
#include "ernie/persistent/matrix.cuh"
#include "ernie/persistent/shares.cuh"

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
            if (block < Share<Spec>::kQueryBlocks) return {block * kQueryRows, kQueryRows};
            const Rows own = Share<Spec>::spread(2 * kKeyWidth / 8, block, true);
            return {kQueryWidth + own.first * 8, own.count * 8};
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

} // namespace ernie
