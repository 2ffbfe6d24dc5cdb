// One decoding step of one sequence, from the token's embedding to its logits, in one launch: every block keeps its rows of every
// weight and all of the residual, and blocks exchange vectors through tagged words (exchange.cuh).
//   launch   Spec::kBlocks blocks that run at the same time (cooperative), Spec::kThreads threads: the last warp's first lane copies
//            weights (weight_stream.cuh), the other warps work
//   layer    query/key/value rows -> attention of a few blocks -> output rows -> gate and up rows -> down rows; five exchanges
// The layer's code is few instructions, the same for its four matrices: each is run once per layer, so that reading instructions
// would otherwise take longer than running them.
// Vectors are multiplied before they are normalised: a row's sum is scaled by the norm's factor, which is known by then.
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

// Marks of a layer in the trace: four products of three, attention of two.
inline constexpr int kMarksPerLayer = 14;

// Pairs of words that fill lines of 128 bytes.
__device__ constexpr int whole_lines(int pairs) { return (pairs + 7) / 8 * 8; }

template <class Spec>
struct DecodeStep {
    static constexpr int kWarps = Spec::kWorkingWarps;
    static constexpr int kWorkers = kWarps * 32;
    static constexpr int kBlocks = Spec::kBlocks;
    static constexpr int kQueryWidth = Spec::kHeads * Spec::kHeadSize;
    static constexpr int kKeyWidth = Spec::kKeyValueHeads * Spec::kHeadSize;
    static constexpr int kQkvWidth = kQueryWidth + 2 * kKeyWidth;
    using Layers = Encoding<Spec::kLayerFormat, Spec::kLayerGroup>;
    using Head = Encoding<Spec::kHeadFormat, Spec::kHeadGroup>;
    using Attention = PastAttention<Spec>;

    // Rows of a block.
    static constexpr int kQkvRows = kQkvWidth / kBlocks, kOutputRows = Spec::kHidden / kBlocks;
    static constexpr int kGateUpRows = 2 * Spec::kIntermediate / kBlocks, kDownRows = kOutputRows;
    static constexpr int kHeadRows = Spec::kVocabulary / kBlocks;
    static_assert(kQkvWidth % (2 * kBlocks) == 0 && Spec::kHidden % (2 * kBlocks) == 0 && Spec::kVocabulary % (2 * kBlocks) == 0, "whole pairs of rows");
    static_assert(Spec::kIntermediate % (2 * kBlocks) == 0, "whole pairs of activations");
    static_assert(kQkvRows <= kPieceRows && kOutputRows <= kPieceRows && kGateUpRows <= kPieceRows, "a layer's rows of a block are one piece");
    static_assert(Spec::kHidden % kUnit == 0 && kQueryWidth % kUnit == 0 && Spec::kIntermediate % kUnit == 0, "whole units");
    static_assert(kBlocks >= Spec::kSplits * Spec::kKeyValueHeads, "a block per chunk and head");

    static constexpr int kQuads = Spec::kHidden / 4;
    static constexpr int kQuadsPerThread = (kQuads + kWorkers - 1) / kWorkers;

    // Exchange buffers, in pairs of words; each begins with a line of its own.
    static constexpr int kQkvWords = 0;
    static constexpr int kAttentionWords = kQkvWords + whole_lines(kQkvWidth / 4);
    static constexpr int kAttentionPairs = kQueryWidth / 4;
    static constexpr int kWeightWords = kAttentionWords + Spec::kSplits * whole_lines(kAttentionPairs);
    static constexpr int kOutputWords = kWeightWords + Spec::kSplits * whole_lines(Spec::kHeads);
    static constexpr int kActivationWords = kOutputWords + whole_lines(Spec::kHidden / 2);
    static constexpr int kDownWords = kActivationWords + whole_lines(Spec::kIntermediate / 4);

    // Shared memory.
    static constexpr int kMostInputs = Spec::kIntermediate > kQueryWidth ? Spec::kIntermediate > Spec::kHidden ? Spec::kIntermediate : Spec::kHidden
                                       : kQueryWidth > Spec::kHidden    ? kQueryWidth
                                                                        : Spec::kHidden;
    static constexpr int kScaleSlots = static_cast<int>(Ring<Spec>::kScaleSlots);
    static constexpr int kStageOffset = Ring<Spec>::kBytes;
    static constexpr int kZeroOffset = kStageOffset + kWarps * Attention::kStageBytes; // a unit of zeros
    static constexpr int kVectorOffset = kZeroOffset + kUnit * 2;
    static_assert(kVectorOffset % (kUnit * 2) == 0, "a unit's parts are addressed by its low bits");
    static constexpr int kOwnOffset = kVectorOffset + kMostInputs * 2;
    static constexpr int kPartialOffset = kOwnOffset + 2 * Spec::kHeadSize * 2;
    static constexpr int kSquaresOffset = kPartialOffset + 2 * kWarps * kPieceRows * 4;
    static constexpr int kBarrierOffset = kSquaresOffset + 2 * 64;
    static constexpr int kScaleOffset = kBarrierOffset + (Spec::kRingChunks + kScaleSlots) * 16;
    static constexpr int kLayerOffset = kScaleOffset + kScaleSlots * Spec::kScaleBytes;
    static constexpr int kShareOffset = kLayerOffset + Spec::kLayers * static_cast<int>(sizeof(PersistentLayer));
    static constexpr int kRotationOffset = kShareOffset + 256;
    static constexpr int kResidualOffset = kRotationOffset + kPieceRows / 2 * 8;
    static constexpr int kSharedBytes = kResidualOffset + Spec::kHidden * 4;
    static_assert(sizeof(AttentionShare) <= 256, "the share fits its place");
    static_assert(kSharedBytes <= Spec::kSharedBytes, "the plan's shared memory is too small");

    const PersistentArgs& args;
    char* shared;
    WeightReader<Spec> stream;
    int warp, thread;
    unsigned tag = 0;
    int marks = 0;

    __device__ __forceinline__ explicit DecodeStep(const PersistentArgs& arguments, char* memory) : args(arguments), shared(memory) {
        thread = threadIdx.x;
        warp = threadIdx.x / 32;
    }

    // One of a layer's four matrices, as this block sees it.
    static __device__ __forceinline__ Piece piece(int matrix) {
        const int inputs = matrix == 1 ? kQueryWidth : matrix == 3 ? Spec::kIntermediate : Spec::kHidden;
        return {matrix == 0 ? kQkvRows : matrix == 2 ? kGateUpRows : kOutputRows, inputs / kUnit, Layers::row_bytes(inputs)};
    }

    __device__ __forceinline__ AttentionShare& share() const { return *reinterpret_cast<AttentionShare*>(shared + kShareOffset); }
    __device__ __forceinline__ Attention attention() const { return {share(), shared + kStageOffset, warp, thread % 32}; }
    __device__ __forceinline__ const PersistentLayer& layer(int index) const { return reinterpret_cast<const PersistentLayer*>(shared + kLayerOffset)[index]; }
    // Of each pair of query or key rows, the same in every layer; a value's rows do not turn.
    __device__ __forceinline__ float2* rotations() const { return reinterpret_cast<float2*>(shared + kRotationOffset); }
    // Each quad is one thread's own.
    __device__ __forceinline__ float4& residual(int quad) const { return reinterpret_cast<float4*>(shared + kResidualOffset)[quad]; }
    __device__ __forceinline__ uint2* vector() const { return reinterpret_cast<uint2*>(shared + kVectorOffset); }
    __device__ __forceinline__ float* partial(int buffer, int of_warp) const {
        return reinterpret_cast<float*>(shared + kPartialOffset) + (buffer * kWarps + of_warp) * kPieceRows;
    }

    __device__ __forceinline__ void mark() {
        if constexpr (Spec::kTrace) {
            if (thread == 0) args.trace[blockIdx.x * (Spec::kLayers * kMarksPerLayer + 4) + marks] = clock_now();
            marks++;
        }
    }

    __device__ __forceinline__ void initialize() {
        const unsigned barriers = shared_address(shared + kBarrierOffset);
        stream.ring = {shared_address(shared), barriers, shared_address(shared + kScaleOffset), args.note};
        if (thread == 0) {
#pragma unroll 1
            for (int i = 0; i < Spec::kRingChunks + kScaleSlots; i++) {
                const bool is_scale = i >= Spec::kRingChunks;
                const unsigned full = is_scale ? stream.ring.scale_full(i - Spec::kRingChunks) : stream.ring.full(i);
                barrier_initialize(full, 1);
                barrier_initialize(full + (is_scale ? kScaleSlots : Spec::kRingChunks) * 8, kWarps);
            }
            barrier_publish();
        }
        if (thread < kUnit / 2) reinterpret_cast<int*>(shared + kZeroOffset)[thread] = 0;
        const int* from = reinterpret_cast<const int*>(args.layers);
        int* to = reinterpret_cast<int*>(shared + kLayerOffset);
        for (int i = thread; i < Spec::kLayers * static_cast<int>(sizeof(PersistentLayer) / 4); i += Spec::kThreads) to[i] = from[i];
        __syncthreads();
    }

    // The copying thread's whole life.
    __device__ __forceinline__ void copy_weights() {
        WeightWriter<Spec> writer{stream.ring};
        const size_t block = blockIdx.x;
#pragma unroll 1
        for (int index = 0; index < Spec::kLayers; index++) {
#pragma unroll 1
            for (int matrix = 0; matrix < 4; matrix++) {
                const Piece rows = piece(matrix);
                const int scale_bytes = Layers::scale_bytes(rows.units * kUnit, rows.rows);
                if (scale_bytes > 0) writer.copy_scales(reinterpret_cast<const char*>(layer(index).scales[matrix]) + block * scale_bytes, scale_bytes);
                writer.copy(layer(index).weights[matrix] + block * rows.bytes(), rows.bytes());
            }
        }
        const char* head = args.head + block * kHeadRows * Head::row_bytes(Spec::kHidden);
        const char* scales = reinterpret_cast<const char*>(args.head_scales) + block * Head::scale_bytes(Spec::kHidden, kHeadRows);
#pragma unroll 1
        for (int first = 0; first < kHeadRows; first += kPieceRows) {
            const int rows = min(kPieceRows, kHeadRows - first), scale_bytes = Head::scale_bytes(Spec::kHidden, rows);
            if (scale_bytes > 0) writer.copy_scales(scales, scale_bytes);
            writer.copy(head, rows * Head::row_bytes(Spec::kHidden));
            scales += scale_bytes;
            head += rows * Head::row_bytes(Spec::kHidden);
        }
    }

    // Finds the token and takes its embedding; see norm/embed.cuh, whose work this does for one token.
    __device__ __forceinline__ void begin() {
        const StepHeader header = *args.header;
        StepRows rows = step_rows(args.header, args.row_capacity);
        const int* ints = reinterpret_cast<const int*>(args.header);
        const int2* updates = reinterpret_cast<const int2*>(ints + header.updates_offset);
        const int slot = rows.slot[0], position = rows.start[0];
        int id = header.tokens_on_device ? -1 : reinterpret_cast<const int2*>(ints + header.tokens_offset)[0].x;
        if (id < 0) id = args.last_token[slot];
        tag = header.sequence * (Spec::kLayers + 1);

        share().slot_offset = slot * args.pages_per_slot;
        share().page_table = args.page_table + slot * args.pages_per_slot;
        share().updates = updates;
        share().words = args.words;
        share().update_count = header.update_count;
        share().position = position;
        __syncwarp();
        attention().plan(kBlocks);
        meet<kWorkers>();

        if (blockIdx.x == 0) {
            // Others may read an entry before or after this: they look through the updates themselves.
            for (int i = thread; i < header.update_count; i += kWorkers) args.page_table[updates[i].x] = updates[i].y;
            if (thread == 0) args.places[0] = {position, slot};
        }
        const int n = static_cast<int>(blockIdx.x) * kQkvRows + 2 * thread;
        if (thread < kQkvRows / 2)
            rotations()[thread] = n < kQueryWidth + kKeyWidth
                ? args.rotations[static_cast<size_t>(position) * (Spec::kHeadSize / 2) + n % Spec::kHeadSize / 2] : float2{1, 0};
        const uint2* source = reinterpret_cast<const uint2*>(args.embedding) + static_cast<size_t>(id) * kQuads;
#pragma unroll
        for (int i = 0; i < kQuadsPerThread; i++) {
            const int quad = i * kWorkers + thread;
            if (quad < kQuads) {
                uint2 x = source[quad];
                residual(quad) = {low_to_float(x.x), high_to_float(x.x), low_to_float(x.y), high_to_float(x.y)};
            }
        }
    }

    // Adds what the blocks have found for the residual, if they have, and puts it times the gain into shared memory, with the warps' sums
    // of squares.
    __device__ __forceinline__ void share_residual(const Bf16* gain, bool adds, int words, unsigned of_tag) {
        uint2 gains[kQuadsPerThread];
#pragma unroll
        for (int i = 0; i < kQuadsPerThread; i++) {
            const int quad = i * kWorkers + thread;
            if (quad < kQuads) gains[i] = reinterpret_cast<const uint2*>(gain)[quad];
        }
        float sum = 0;
#pragma unroll
        for (int i = 0; i < kQuadsPerThread; i++) {
            const int quad = i * kWorkers + thread;
            if (quad >= kQuads) break;
            float4 v = residual(quad);
            if (adds) {
                ulonglong2 pairs[2];
                receive(pairs, [&](int half) { return args.words + words + 2 * quad + half; }, of_tag, args.note, 10);
                v.x += __uint_as_float(value_of(pairs[0].x));
                v.y += __uint_as_float(value_of(pairs[0].y));
                v.z += __uint_as_float(value_of(pairs[1].x));
                v.w += __uint_as_float(value_of(pairs[1].y));
            }
            residual(quad) = v;
            sum += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
            vector()[quad] = {pack_bf16(v.x * low_to_float(gains[i].x), v.y * high_to_float(gains[i].x)),
                              pack_bf16(v.z * low_to_float(gains[i].y), v.w * high_to_float(gains[i].y))};
        }
        sum = warp_sum(sum);
        if (thread % 32 == 0) reinterpret_cast<float*>(shared + kSquaresOffset)[warp] = sum;
    }

    __device__ __forceinline__ float norm_factor() const {
        const float* squares = reinterpret_cast<const float*>(shared + kSquaresOffset);
        float sum = 0;
#pragma unroll
        for (int w = 0; w < kWarps; w++) sum += squares[w];
        return rsqrtf(sum / Spec::kHidden + Spec::kEpsilon);
    }

    // All warps' shares of a piece's products with the shared vector. Pieces take turns with two buffers: whoever read the one has passed
    // the barrier of the other.
    template <class E>
    __device__ __forceinline__ void products(Piece rows, int buffer) {
        unsigned scales = 0;
        if constexpr (E::kGrouped) scales = stream.take_scales();
        multiply<E, Spec>(stream, rows, shared_address(vector()), shared_address(shared + kZeroOffset), scales, partial(buffer, warp));
        if constexpr (E::kGrouped) stream.return_scales();
        meet<kWorkers>();
    }

    // Sums of this thread's pair of rows.
    __device__ __forceinline__ float2 pair_sums(int buffer) const {
        float2 sum = {0, 0};
#pragma unroll
        for (int w = 0; w < kWarps; w++) {
            const float2 part = reinterpret_cast<const float2*>(partial(buffer, w))[thread];
            sum.x += part.x;
            sum.y += part.y;
        }
        return sum;
    }

    // Scales of a pair of rows, for weights with one scale per row.
    template <class E>
    static __device__ __forceinline__ float2 row_scales(const float* scales, int pair, bool valid) {
        if constexpr (E::kRowScaled) {
            if (valid) return reinterpret_cast<const float2*>(scales)[pair];
        }
        return {1, 1};
    }

    __device__ __forceinline__ unsigned long long* word(int pairs) const { return reinterpret_cast<unsigned long long*>(args.words + pairs); }

    // Blocks that attend: the query of one key/value head's group, and in the last chunk the token's own key and value.
    __device__ __forceinline__ void attend_past(const PersistentLayer& weights) {
        if (!share().attends) {
            mark();
            mark();
            return;
        }
        Attention attention = this->attention();
        constexpr int kGroupQuads = Attention::kGroup * Spec::kHeadSize / 4, kHeadQuads = Spec::kHeadSize / 4;
        constexpr int kLoads = (kGroupQuads + kWorkers - 1) / kWorkers;
        const int head = share().head;
        const bool takes_own = share().owns_last && thread < 2 * kHeadQuads;
        const int own = (thread < kHeadQuads ? kQueryWidth : kQueryWidth + kKeyWidth) / 4 + head * kHeadQuads + thread % kHeadQuads;
        const ulonglong2* all = share().words;
        ulonglong2 words[kLoads + 1];
        receive(words, [&](int i) -> const ulonglong2* {
            if (i == kLoads) return takes_own ? all + kQkvWords + own : nullptr;
            return i * kWorkers + thread < kGroupQuads ? all + kQkvWords + head * kGroupQuads + i * kWorkers + thread : nullptr;
        }, tag, args.note, 20);
        mark();
#pragma unroll
        for (int i = 0; i < kLoads; i++)
            if (i * kWorkers + thread < kGroupQuads) vector()[i * kWorkers + thread] = {value_of(words[i].x), value_of(words[i].y)};
        if (takes_own) {
            const uint2 four = {value_of(words[kLoads].x), value_of(words[kLoads].y)};
            reinterpret_cast<uint2*>(shared + kOwnOffset)[thread] = four;
            // The cache, for the steps to come.
            const int page = share().own_page, quad = thread % kHeadQuads;
            Bf16* cache = thread < kHeadQuads ? weights.keys : weights.values;
            reinterpret_cast<uint2*>(reinterpret_cast<uint4*>(cache) + attention.piece_of(page, share().position))[quad] = four;
        }
        meet<kWorkers>();
        attention.run(weights, reinterpret_cast<const uint4*>(vector()), reinterpret_cast<const uint2*>(shared + kOwnOffset));
        meet<kWorkers>();
        if (warp < Attention::kGroup) {
            const int lane = attention.lane, query_head = head * Attention::kGroup + warp;
            float weight;
            const float4 out = attention.merge(warp, weight);
            store_words(args.words + kAttentionWords + share().split * whole_lines(kAttentionPairs) + query_head * kHeadQuads + lane,
                        {tagged(pack_bf16(out.x, out.y), tag), tagged(pack_bf16(out.z, out.w), tag)});
            if (lane == 0)
                store_words(args.words + kWeightWords + share().split * whole_lines(Spec::kHeads) + query_head,
                            {tagged(__float_as_uint(weight), tag), tagged(0, tag)});
        }
        mark();
    }

    // The heads' outputs, merged over the chunks, to shared memory. A warp's values of one load belong to one head; lane c + kSplits * i
    // asks for the weight of chunk c of the head of load i.
    __device__ __forceinline__ void share_attention() {
        constexpr int kLoads = (kAttentionPairs + kWorkers - 1) / kWorkers, kChunks = Spec::kSplits;
        static_assert(kLoads * kChunks <= 32 && Spec::kHeadSize == 128, "a lane per head and chunk");
        const ulonglong2* all = share().words;
        const int splits = share().used_splits, lane = thread % 32, chunk = lane % kChunks, head = lane / kChunks * kWarps + warp;
        const ulonglong2* weight_address = splits > 1 && chunk < splits && lane < kLoads * kChunks && head < Spec::kHeads
            ? all + kWeightWords + chunk * whole_lines(Spec::kHeads) + head : nullptr;
        ulonglong2 words[kLoads * kChunks + 1];
        receive(words, [&](int i) -> const ulonglong2* {
            if (i == kLoads * kChunks) return weight_address;
            const int pair = i / kChunks * kWorkers + thread;
            return i % kChunks < splits && pair < kAttentionPairs
                ? all + kAttentionWords + i % kChunks * whole_lines(kAttentionPairs) + pair : nullptr;
        }, tag, args.note, 30);
        const float weight = weight_address ? __uint_as_float(value_of(words[kLoads * kChunks].x)) : -1e30f;
#pragma unroll
        for (int i = 0; i < kLoads; i++) {
            const int pair = i * kWorkers + thread;
            uint2 merged = {value_of(words[i * kChunks].x), value_of(words[i * kChunks].y)};
            if (splits > 1) {
                float weights[kChunks], maximum = -1e30f, sum = 0;
#pragma unroll
                for (int c = 0; c < kChunks; c++) {
                    weights[c] = __shfl_sync(kFullWarp, weight, i * kChunks + c);
                    maximum = fmaxf(maximum, weights[c]);
                }
                float4 total = {0, 0, 0, 0};
#pragma unroll
                for (int c = 0; c < kChunks; c++) {
                    if (c >= splits) break;
                    const float factor = exp2f(weights[c] - maximum);
                    const unsigned left = value_of(words[i * kChunks + c].x), right = value_of(words[i * kChunks + c].y);
                    total.x += factor * low_to_float(left);
                    total.y += factor * high_to_float(left);
                    total.z += factor * low_to_float(right);
                    total.w += factor * high_to_float(right);
                    sum += factor;
                }
                const float inverse = __fdividef(1.0f, sum);
                merged = {pack_bf16(total.x * inverse, total.y * inverse), pack_bf16(total.z * inverse, total.w * inverse)};
            }
            if (pair < kAttentionPairs) vector()[pair] = merged;
        }
    }

    __device__ __forceinline__ void share_activations() {
        constexpr int kPairs = Spec::kIntermediate / 4, kLoads = (kPairs + kWorkers - 1) / kWorkers;
        const ulonglong2* all = share().words;
        ulonglong2 words[kLoads];
        receive(words, [&](int i) -> const ulonglong2* {
            return i * kWorkers + thread < kPairs ? all + kActivationWords + i * kWorkers + thread : nullptr;
        }, tag, args.note, 50);
#pragma unroll
        for (int i = 0; i < kLoads; i++)
            if (i * kWorkers + thread < kPairs) vector()[i * kWorkers + thread] = {value_of(words[i].x), value_of(words[i].y)};
    }

    // A pair of rows of one of a layer's matrices: whatever follows the product, and to all blocks. Called by the first warp.
    __device__ __forceinline__ void finish(int matrix, bool valid, float2 sum) {
        if (matrix == 1 || matrix == 3) {
            if (valid)
                store_words(args.words + (matrix == 1 ? kOutputWords : kDownWords) + static_cast<int>(blockIdx.x) * (kOutputRows / 2) + thread,
                            {tagged(__float_as_uint(sum.x), tag), tagged(__float_as_uint(sum.y), tag)});
            return;
        }
        const float factor = norm_factor();
        sum.x *= factor;
        sum.y *= factor;
        if (matrix == 0) {
            // RoFormer's rotation of interleaved pairs (2i, 2i + 1).
            const float2 rotation = rotations()[thread];
            const float first = sum.x * rotation.x - sum.y * rotation.y, second = sum.y * rotation.x + sum.x * rotation.y;
            if (valid) store_word(word(kQkvWords) + static_cast<int>(blockIdx.x) * (kQkvRows / 2) + thread, tagged(pack_bf16(first, second), tag));
        } else {
            const float gated = __fdividef(sum.x, 1.0f + __expf(-sum.x)) * sum.y;
            const float neighbour = __shfl_xor_sync(kFullWarp, gated, 1);
            if (valid && thread % 2 == 0)
                store_word(word(kActivationWords) + (static_cast<int>(blockIdx.x) * (kGateUpRows / 2) + thread) / 2, tagged(pack_bf16(gated, neighbour), tag));
        }
    }

    __device__ __forceinline__ void run_layer(int index) {
        const PersistentLayer& weights = layer(index);
        attention().copy_tile(weights, 0);
#pragma unroll 1
        for (int matrix = 0; matrix < 4; matrix++) {
            const Piece rows = piece(matrix);
            const bool valid = thread < rows.rows / 2;
            const float2 scale = row_scales<Layers>(weights.scales[matrix], static_cast<int>(blockIdx.x) * (rows.rows / 2) + thread, valid);
            if (matrix == 0 || matrix == 2) {
                const unsigned of_tag = tag;
                if (matrix == 0) tag++;
                share_residual(matrix == 0 ? weights.input_norm : weights.post_norm, index + matrix > 0, matrix == 0 ? kDownWords : kOutputWords, of_tag);
            } else if (matrix == 1) {
                attend_past(weights);
                share_attention();
            } else {
                share_activations();
            }
            meet<kWorkers>();
            mark();
            products<Layers>(rows, matrix & 1);
            mark();
            if (warp == 0) {
                float2 sum = {0, 0};
                if (valid) sum = pair_sums(matrix & 1);
                if constexpr (Layers::kRowScaled) sum = {sum.x * scale.x, sum.y * scale.y};
                finish(matrix, valid, sum);
            }
            mark();
        }
    }

    __device__ __forceinline__ void run_head() {
        share_residual(args.final_norm, true, kDownWords, tag);
        meet<kWorkers>();
        mark();
#pragma unroll 1
        for (int first = 0; first < kHeadRows; first += kPieceRows) {
            const Piece rows = {min(kPieceRows, kHeadRows - first), Spec::kHidden / kUnit, Head::row_bytes(Spec::kHidden)};
            const bool valid = thread < rows.rows / 2;
            const int pair = (static_cast<int>(blockIdx.x) * kHeadRows + first) / 2 + thread;
            const float2 scale = row_scales<Head>(args.head_scales, pair, valid);
            const int buffer = first / kPieceRows & 1;
            products<Head>(rows, buffer);
            if (valid) {
                const float factor = norm_factor();
                const float2 sum = pair_sums(buffer);
                reinterpret_cast<float2*>(args.logits)[pair] = {sum.x * factor * scale.x, sum.y * factor * scale.y};
            }
        }
        mark();
    }
};

template <class Spec>
__device__ void decode_step(const PersistentArgs& args) {
    extern __shared__ uint4 shared_memory[];
    DecodeStep<Spec> step(args, reinterpret_cast<char*>(shared_memory));
    step.initialize();
    if (threadIdx.x >= DecodeStep<Spec>::kWorkers) {
        if (threadIdx.x == DecodeStep<Spec>::kWorkers) step.copy_weights();
        return;
    }
    wait_for_previous_kernel();
    step.begin();
    step.mark();
#pragma unroll 1
    for (int index = 0; index < Spec::kLayers; index++) step.run_layer(index);
    step.run_head();
}

} // namespace ernie
