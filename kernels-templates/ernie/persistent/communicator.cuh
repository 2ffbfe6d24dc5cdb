// The communicating warp: all that lies between two products. It adds the working warps' sums, gives the block's part of each vector to all
// blocks, polls its eighth of what they give and hands it to its cluster. It keeps the block's eighth of the residual.
// Vectors are multiplied before they are normalised: a row's sum is scaled by the norm's factor, which is known by then.
#pragma once
#include "ernie/persistent/context.cuh"

namespace ernie {

template <class Spec>
struct Communicator {
    using Of = Layout<Spec>;
    using HiddenSlice = Slice<Of::kHiddenSlice>;
    static constexpr int kQuads = HiddenSlice::kPerLane;
    static constexpr int kHeads = Spec::kClusterHeads;
    static_assert(Of::kQkvRows <= 64 && Of::kGateUpRows <= 64 && Of::kHeadPieceRows <= 64, "a lane per pair of rows");

    const Context<Spec>& context;
    float4 residual[kQuads]; // lane's quads of the block's eighth
    float2 rotation;         // of the lane's pair of query or key rows
    int own_pair;            // number of the lane's pair of key or value rows, keys first
    int own_place;           // where the token's key or value goes that it belongs to, in keys
    unsigned tag;

    __device__ __forceinline__ bool takes(int quad) const { return quad * 32 + context.lane < HiddenSlice::kQuads; }
    __device__ __forceinline__ int hidden_quad(int quad) const { return context.rank * HiddenSlice::kQuads + quad * 32 + context.lane; }
    __device__ __forceinline__ unsigned long long* word(int pairs) const { return reinterpret_cast<unsigned long long*>(context.args.words + pairs); }
    // The lane's pair of the block's rows of a matrix: its number, and whether there is one.
    __device__ __forceinline__ int pair(Rows rows) const { return rows.first / 2 + context.lane; }
    __device__ __forceinline__ bool has_pair(Rows rows) const { return context.lane < rows.count / 2; }

    __device__ __forceinline__ void begin() {
        const PersistentArgs& args = context.args;
        const int lane = context.lane;
        tag = context.tag;
        if (blockIdx.x == 0) {
            const int2* updates = reinterpret_cast<const int2*>(reinterpret_cast<const int*>(args.header) + args.header->updates_offset);
            for (int i = lane; i < args.header->update_count; i += 32) args.page_table[updates[i].x] = updates[i].y;
            if (lane == 0) args.places[0] = {context.position, context.slot};
        }
        const int id = context.token >= 0 ? context.token : args.last_token[context.slot];
#pragma unroll
        for (int i = 0; i < kQuads; i++) {
            if (!takes(i)) continue;
            const uint2 x = reinterpret_cast<const uint2*>(args.embedding)[static_cast<size_t>(id) * (Spec::kHidden / 4) + hidden_quad(i)];
            residual[i] = {low_to_float(x.x), high_to_float(x.x), low_to_float(x.y), high_to_float(x.y)};
        }
        constexpr int kHeadPairs = Spec::kHeadSize / 2;
        const Rows rows = context.rows(0);
        const int of_head = pair(rows) % kHeadPairs; // queries, keys and values are whole heads
        own_pair = pair(rows) - Of::kQueryWidth / 2;
        rotation = {1, 0}; // a value's rows do not turn
        if (has_pair(rows) && own_pair < Of::kKeyWidth / 2) rotation = args.rotations[static_cast<size_t>(context.position) * kHeadPairs + of_head];
        if (has_pair(rows) && !context.attends) own_place = context.place(own_pair / kHeadPairs % Spec::kKeyValueHeads, context.position);
    }

    // Hands a part of a vector to all blocks of the cluster.
    template <class Value>
    __device__ __forceinline__ void hand_out(int buffer, int offset, Value value) const {
        const unsigned target = context.base + Of::kVectors + buffer * (Of::kMostInputs * 2) + offset, barrier = context.base + Of::kVectorBarrier + buffer * 8;
#pragma unroll
        for (int i = 0; i < Of::kRanks; i++) send(address_in_block(target, i), value, address_in_block(barrier, i));
    }

    __device__ __forceinline__ void expect(unsigned barrier, int bytes) const {
        if (context.lane == 0) arrive_expecting(context.base + barrier, bytes);
    }

    // The residual, with what the blocks have added to it, times the norm's gain; and the sum of its squares, for the factor.
    __device__ __forceinline__ void share_residual(const Bf16* gain, int words, unsigned of_tag, bool adds) {
        uint2 gains[kQuads];
#pragma unroll
        for (int i = 0; i < kQuads; i++)
            if (takes(i)) gains[i] = reinterpret_cast<const uint2*>(gain)[hidden_quad(i)];
        expect(Of::kVectorBarrier, Spec::kHidden * 2);
        expect(Of::kSquaresBarrier, Of::kRanks * 4);
        HiddenSlice added;
        if (adds) added.receive(context.args.words + words + context.rank * (Of::kHiddenSlice / 2), of_tag, context.args.note, 20);
        float sum = 0;
#pragma unroll
        for (int i = 0; i < kQuads; i++) {
            if (!takes(i)) continue;
            float4& v = residual[i];
            if (adds) {
                const uint4 more = added.quad(i);
                v = {v.x + __uint_as_float(more.x), v.y + __uint_as_float(more.y), v.z + __uint_as_float(more.z), v.w + __uint_as_float(more.w)};
            }
            const uint2 value = {pack_bf16(v.x * low_to_float(gains[i].x), v.y * high_to_float(gains[i].x)),
                                 pack_bf16(v.z * low_to_float(gains[i].y), v.w * high_to_float(gains[i].y))};
            hand_out(0, hidden_quad(i) * 8, value);
            sum += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
        }
        sum = warp_sum(sum);
        if (context.lane < Of::kRanks)
            send(address_in_block(context.base + Of::kSquares + context.rank * 4, context.lane), sum, address_in_block(context.base + Of::kSquaresBarrier, context.lane));
    }

    __device__ __forceinline__ float norm_factor(unsigned parity) const {
        context.wait(Of::kSquaresBarrier, parity, 21);
        const float4* squares = reinterpret_cast<const float4*>(context.shared + Of::kSquares);
        const float4 a = squares[0], b = squares[1];
        return rsqrtf((a.x + a.y + a.z + a.w + b.x + b.y + b.z + b.w) / Spec::kHidden + Spec::kEpsilon);
    }

    // A vector of pairs of bf16, from all blocks to the cluster.
    template <int kWords>
    __device__ __forceinline__ void share_pairs(int words, int place) {
        expect(Of::kVectorBarrier + 8, kWords * Of::kRanks * 4);
        Slice<kWords> slice;
        slice.receive(context.args.words + words + context.rank * (kWords / 2), tag, context.args.note, place);
#pragma unroll
        for (int i = 0; i < Slice<kWords>::kPerLane; i++)
            if (i * 32 + context.lane < Slice<kWords>::kQuads) hand_out(1, (context.rank * Slice<kWords>::kQuads + i * 32 + context.lane) * 16, slice.quad(i));
    }

    // Sums of the lane's pair of rows.
    __device__ __forceinline__ float2 pair_sums(int buffer) const {
        float2 sum = {0, 0};
#pragma unroll
        for (int w = 0; w < Of::kWarps; w++) {
            const float2 part = reinterpret_cast<const float2*>(context.partial(buffer, w))[context.lane];
            sum = {sum.x + part.x, sum.y + part.y};
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

    // RoFormer's rotation of interleaved pairs (2i, 2i + 1); then queries to the cluster, the token's key and value to all blocks and
    // into the cache.
    __device__ __forceinline__ void finish_qkv(const PersistentLayer& weights) {
        const int lane = context.lane;
        const Rows rows = context.rows(0);
        const float2 scale = row_scales<typename Of::Layers>(weights.scales[0], pair(rows), has_pair(rows));
        const float factor = norm_factor(0);
        if (context.attends) expect(Of::kQueryBarrier, kHeads * Spec::kHeadSize * 2);
        meet<Of::kProductsReady, Of::kThreadsOfExchange>();
        const float2 sums = pair_sums(0), x = {sums.x * factor * scale.x, sums.y * factor * scale.y};
        const unsigned turned = pack_bf16(x.x * rotation.x - x.y * rotation.y, x.y * rotation.x + x.x * rotation.y);
        if (context.attends) {
            // Four lanes per block of the cluster, two or four pairs each.
            static_assert(Of::kQueryRows == 16 * kHeads, "a rank has an eighth of the heads");
            unsigned parts[2 * kHeads];
#pragma unroll
            for (int i = 0; i < 2 * kHeads; i++) parts[i] = __shfl_sync(kFullWarp, turned, lane % 4 * (2 * kHeads) + i);
            const unsigned target = address_in_block(context.base + Of::kQuery + context.rank * (Of::kQueryRows * 2) + lane % 4 * (8 * kHeads), lane / 4);
            const unsigned barrier = address_in_block(context.base + Of::kQueryBarrier, lane / 4);
            if constexpr (kHeads == 2) send(target, uint4{parts[0], parts[1], parts[2], parts[3]}, barrier);
            else send(target, uint2{parts[0], parts[1]}, barrier);
        } else if (has_pair(rows)) {
            store_word(word(Of::kOwnWords) + own_pair, tagged(turned, tag));
            Bf16* cache = own_pair < Of::kKeyWidth / 2 ? weights.keys : weights.values;
            reinterpret_cast<unsigned*>(cache)[static_cast<size_t>(own_place) * (Spec::kHeadSize / 2) + own_pair % (Spec::kHeadSize / 2)] = turned;
        }
    }

    // Attention to the token itself: its value, with weight 1 at its score; as one more tile.
    __device__ __forceinline__ void attend_own(int index) const {
        const int head = context.key_value_head(), lane = context.lane;
        const ulonglong2* keys = context.args.words + Of::kOwnWords + head * (Spec::kHeadSize / 4) + lane;
        ulonglong2 words[2];
        receive(words, [&](int i) { return keys + i * (Of::kKeyWidth / 4); }, tag, context.args.note, 22);
        context.wait(Of::kQueryBarrier, index & 1, 23);
        const unsigned first = value_of(words[0].x), second = value_of(words[0].y);
        const float4 value = {low_to_float(value_of(words[1].x)), high_to_float(value_of(words[1].x)), low_to_float(value_of(words[1].y)), high_to_float(value_of(words[1].y))};
#pragma unroll
        for (int h = 0; h < kHeads; h++) {
            const uint2 query = reinterpret_cast<const uint2*>(context.shared + Of::kQuery)[h * (Spec::kHeadSize / 4) + lane];
            float score = low_to_float(query.x) * low_to_float(first) + high_to_float(query.x) * high_to_float(first)
                        + low_to_float(query.y) * low_to_float(second) + high_to_float(query.y) * high_to_float(second);
            score = warp_sum(score) * Spec::kScale;
            float* past = context.past(Of::kWarps) + h * PastTiles<Spec>::kStride;
            reinterpret_cast<float4*>(past)[lane] = value;
            if (lane == 0) *reinterpret_cast<float2*>(past + Spec::kHeadSize) = {score, 1};
        }
    }

    // Working warps of all blocks of the cluster have sent this block's part of the heads' outputs: the results of eight blocks become one.
    __device__ __forceinline__ void merge(int index) {
        const int lane = context.lane;
        expect(Of::kMergeBarrier, Of::kRanks * (Of::kQueryRows * 4 + 8));
        if (context.has_token()) attend_own(index);
        announce<Of::kTilesReady, Of::kThreadsOfExchange>();
        context.mark(index, 2);
        context.wait(Of::kMergeBarrier, index & 1, 24);
        context.mark(index, 3);

        const float4* pairs = reinterpret_cast<const float4*>(context.shared + Of::kMergedWeights);
        const float* values = reinterpret_cast<const float*>(context.shared + Of::kMerged) + lane % Of::kQueryRows;
        float maxima[Of::kRanks], sums[Of::kRanks];
#pragma unroll
        for (int i = 0; i < Of::kRanks / 2; i++) {
            const float4 two = pairs[i];
            maxima[2 * i] = two.x, sums[2 * i] = two.y, maxima[2 * i + 1] = two.z, sums[2 * i + 1] = two.w;
        }
        float highest = maxima[0];
#pragma unroll
        for (int i = 1; i < Of::kRanks; i++) highest = fmaxf(highest, maxima[i]);
        float all = 0, output = 0;
#pragma unroll
        for (int i = 0; i < Of::kRanks; i++) {
            const float factor = exp2_fast(maxima[i] - highest);
            all += factor * sums[i];
            output += factor * values[i * Of::kQueryRows];
        }
        output = __fdividef(output, all);
        const float neighbour = __shfl_xor_sync(kFullWarp, output, 1);
        if (lane < Of::kQueryRows && lane % 2 == 0)
            store_word(word(Of::kAttentionWords) + (static_cast<int>(blockIdx.x) * Of::kQueryRows + lane) / 2, tagged(pack_bf16(output, neighbour), tag));
    }

    // Rows of the residual, to all blocks.
    __device__ __forceinline__ void finish_residual(const float* scales, int matrix, int words) {
        const Rows rows = context.rows(matrix);
        const float2 scale = row_scales<typename Of::Layers>(scales, pair(rows), has_pair(rows));
        meet<Of::kProductsReady, Of::kThreadsOfExchange>();
        const float2 sums = pair_sums(1);
        if (has_pair(rows)) store_words(context.args.words + words + pair(rows), {tagged(sums.x * scale.x, tag), tagged(sums.y * scale.y, tag)});
    }

    __device__ __forceinline__ void finish_gate_up(const PersistentLayer& weights) {
        const Rows rows = context.rows(2);
        const float2 scale = row_scales<typename Of::Layers>(weights.scales[2], pair(rows), has_pair(rows));
        const float factor = norm_factor(1);
        meet<Of::kProductsReady, Of::kThreadsOfExchange>();
        const float2 sums = pair_sums(0), x = {sums.x * factor * scale.x, sums.y * factor * scale.y};
        const float gated = __fdividef(x.x, 1.0f + __expf(-x.x)) * x.y, neighbour = __shfl_xor_sync(kFullWarp, gated, 1);
        if (has_pair(rows) && context.lane % 2 == 0) store_word(word(Of::kActivationWords) + pair(rows) / 2, tagged(pack_bf16(gated, neighbour), tag));
    }

    __device__ __forceinline__ void run_layer(int index) {
        const PersistentLayer& weights = context.layer(index);
        share_residual(weights.input_norm, Of::kDownWords, tag, index > 0);
        tag++;
        context.mark(index, 0);
        finish_qkv(weights);
        context.mark(index, 1);
        if (context.attends) merge(index);
        context.mark(index, 4);
        share_pairs<Of::kAttentionSlice>(Of::kAttentionWords, 25);
        context.mark(index, 5);
        finish_residual(weights.scales[1], 1, Of::kOutputWords);
        context.mark(index, 6);
        share_residual(weights.post_norm, Of::kOutputWords, tag, true);
        context.mark(index, 7);
        finish_gate_up(weights);
        context.mark(index, 8);
        share_pairs<Of::kActivationSlice>(Of::kActivationWords, 26);
        context.mark(index, 9);
        finish_residual(weights.scales[3], 3, Of::kDownWords);
        context.mark(index, 10);
    }

    __device__ __forceinline__ void run() {
        begin();
#pragma unroll 1
        for (int index = 0; index < Spec::kLayers; index++) run_layer(index);
        run_head();
    }

    __device__ __forceinline__ void run_head() {
        share_residual(context.args.final_norm, Of::kDownWords, tag, true);
        allow_next_kernel();
        const float factor = norm_factor(0);
        const Rows all = context.rows(4);
#pragma unroll 1
        for (int first = 0; first < all.count; first += Of::kHeadPieceRows) {
            const Rows rows = {all.first + first, min(Of::kHeadPieceRows, all.count - first)};
            const float2 scale = row_scales<typename Of::Head>(context.args.head_scales, pair(rows), has_pair(rows));
            meet<Of::kPieceReady, Of::kThreadsOfExchange>();
            const float2 sums = pair_sums(first / Of::kHeadPieceRows & 1);
            if (has_pair(rows)) reinterpret_cast<float2*>(context.args.logits)[pair(rows)] = {sums.x * factor * scale.x, sums.y * factor * scale.y};
        }
    }
};

} // namespace ernie
