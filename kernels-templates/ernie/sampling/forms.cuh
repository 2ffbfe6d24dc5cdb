// Device forms of samplers and how they are called. Part of the plugin contract.
//
// A form is a struct. All it may have is static:
//   struct Parameters                   the request's parameter block, byte by byte as the host writes it
//   constexpr bool kSplits = true       several blocks may share a row: the form visits tokens with Row's functions only
//   void prepare(Row&, const Parameters&)      may change logits of the block's own share, before anything is known of the row
//
// It draws in one of two ways. A form of its own kind has
//   int sample(Row&, const Parameters&)        the token; the same in all threads
// A form that cuts has `ernie::Truncation limits` among its Parameters, or the function limits(), and any of
//   void before_limits(Weights&, const Parameters&)   cuts of its own, for which Weights has the functions
//   void after_limits(Weights&, const Parameters&)    cuts after min_p, top_k and top_p
//   constexpr unsigned kDrawNumber                    which of the row's random numbers draws; 0 unless said
//   Truncation limits(const Parameters&)              temperature, top_k, top_p and min_p, when they are not the parameters' own
//   int draw(Weights&, const Parameters&)             a draw of its own
//   void after_draw(Weights&, const Parameters&, int token)
// All functions are templates of the type of their first argument, `__device__`, and called by all threads together. Forms that cut
// share the code of the cuts: a kernel with ten of them is hardly larger than with one.
#pragma once
#include "ernie/sampling/weights.cuh"

namespace ernie {

struct NoParameters {};

template <class Form>
struct ParametersOf {
    using Type = NoParameters;
    static constexpr int kBytes = 0;
};

template <class Form>
    requires requires { sizeof(typename Form::Parameters); }
struct ParametersOf<Form> {
    using Type = typename Form::Parameters;
    static constexpr int kBytes = sizeof(Type);
};

// Bytes of a form's parameter block, for comparison with the host's.
template <class Form>
inline constexpr int kParameterBytes = ParametersOf<Form>::kBytes;

template <class Form>
concept Cuts = requires(const typename ParametersOf<Form>::Type& parameters) { parameters.limits; } ||
               requires(const typename ParametersOf<Form>::Type& parameters) { Form::limits(parameters); };

// What a form says of itself, as constants.
template <class Form>
struct Traits {
    static __device__ constexpr bool splits() {
        if constexpr (requires { Form::kSplits; }) return Form::kSplits;
        else return false;
    }

    static __device__ constexpr unsigned draw_number() {
        if constexpr (requires { Form::kDrawNumber; }) return Form::kDrawNumber;
        else return 0;
    }
};

// The steps of a draw. Each does what a form has of it, or nothing.
template <class Row>
struct Prepare {
    Row& row;

    template <class Form, class Parameters>
    __device__ void visit(const Parameters& parameters) {
        if constexpr (requires { Form::prepare(row, parameters); }) {
            Form::prepare(row, parameters);
            __syncthreads();
        }
    }
};

// Whether a form changes logits before it draws.
template <class Row>
struct WhetherPrepares {
    Row& row;
    bool answer;

    template <class Form, class Parameters>
    __device__ void visit(const Parameters& parameters) { answer = requires { Form::prepare(row, parameters); }; }
};

template <class Row>
struct Begin {
    Row& row;
    bool is_drawn;
    int token;

    template <class Form, class Parameters>
    __device__ void visit(const Parameters& parameters) {
        is_drawn = !Cuts<Form>;
        if constexpr (requires { Form::limits(parameters); }) set(Form::limits(parameters));
        else if constexpr (Cuts<Form>) set(parameters.limits);
        else if constexpr (requires { Form::sample(row, parameters); }) token = Form::sample(row, parameters);
        else token = Form::sample(row);
    }

    __device__ void set(const Truncation& limits) {
        if (threadIdx.x == 0) row.shared.head.limits = limits;
        __syncthreads();
    }
};

template <class Weights>
struct BeforeLimits {
    Weights& weights;

    template <class Form, class Parameters>
    __device__ void visit(const Parameters& parameters) {
        if constexpr (requires { Form::before_limits(weights, parameters); }) Form::before_limits(weights, parameters);
    }
};

template <class Weights>
struct AfterLimits {
    Weights& weights;
    bool is_drawn;
    int token;
    unsigned draw_number;

    template <class Form, class Parameters>
    __device__ void visit(const Parameters& parameters) {
        draw_number = Traits<Form>::draw_number();
        if constexpr (requires { Form::after_limits(weights, parameters); }) Form::after_limits(weights, parameters);
        if constexpr (requires { Form::draw(weights, parameters); }) {
            token = Form::draw(weights, parameters);
            is_drawn = true;
        }
    }
};

template <class Weights>
struct AfterDraw {
    Weights& weights;
    int token;

    template <class Form, class Parameters>
    __device__ void visit(const Parameters& parameters) {
        if constexpr (requires { Form::after_draw(weights, parameters, token); }) Form::after_draw(weights, parameters, token);
    }
};

template <class List>
struct Forms;

template <>
struct Forms<Functors<>> {
    static __device__ bool splits(int) { return false; }

    template <class Visitor>
    static __device__ void visit(int, Visitor&, const unsigned char*) {}
};

template <class First, class... Rest>
struct Forms<Functors<First, Rest...>> {
    using Others = Forms<Functors<Rest...>>;

    static __device__ bool splits(int sampler) { return sampler == 0 ? Traits<First>::splits() : Others::splits(sampler - 1); }

    template <class Visitor>
    static __device__ void visit(int sampler, Visitor& visitor, const unsigned char* parameters) {
        using Parameters = typename ParametersOf<First>::Type;
        if (sampler == 0) visitor.template visit<First>(*reinterpret_cast<const Parameters*>(parameters));
        else Others::visit(sampler - 1, visitor, parameters);
    }
};

template <class List, class Row, class Visitor>
__device__ void visit(const Row& row, Visitor& visitor) {
    Forms<List>::visit(row.head().sampler, visitor, row.shared.parameters);
}

template <class List, class Row>
__device__ bool prepares(Row& row) {
    WhetherPrepares<Row> whether = {row, false};
    visit<List>(row, whether);
    return whether.answer;
}

// Draws a row's token by its sampler's form. Together.
template <class List, class Row>
__device__ int sample_by(Row& row) {
    Prepare<Row> prepare = {row};
    visit<List>(row, prepare);
    row.scan();
    Begin<Row> begin = {row};
    visit<List>(row, begin);
    if (begin.is_drawn) return begin.token;
    const float inverse_temperature = row.head().limits.inverse_temperature;
    // Also where there is no number among the logits.
    if (inverse_temperature == 0 || !(fabsf(row.largest()) < 3.0e38f)) return row.most_probable();

    Weights<Row> weights(row, inverse_temperature);
    BeforeLimits<Weights<Row>> before = {weights};
    visit<List>(row, before);
    weights.limit();
    AfterLimits<Weights<Row>> after = {weights, false, 0, 0};
    visit<List>(row, after);
    AfterDraw<Weights<Row>> drawn = {weights, after.is_drawn ? after.token : weights.draw(row.head().random.block(after.draw_number).x)};
    visit<List>(row, drawn);
    return drawn.token;
}

} // namespace ernie
