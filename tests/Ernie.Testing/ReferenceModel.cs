namespace Ernie.Testing;

/// <summary>
/// ERNIE 4.5's forward pass written down once, plainly, in f32 with f64 where it is cheap: the oracle for the backends and
/// the judge of quantisation schemes. It knows no pages, no batches and no packed weights.
/// </summary>
/// <remarks>Source: huggingface/transformers, models/ernie4_5; the rotary pairs are (0,1), (2,3), …</remarks>
public sealed class ReferenceModel
{
    private readonly ReferenceShape _shape;
    private readonly Func<string, float[]> _weights;

    /// <summary>Creates a model whose weights are asked for as they are used.</summary>
    /// <param name="shape">The model's numbers.</param>
    /// <param name="weights">Gives a tensor by its torch name, row-major [out, in]; called for every use, so a caller that can afford it caches.
    /// <c>lm_head.weight</c> is asked for the head, also when it is the embedding table.</param>
    public ReferenceModel(ReferenceShape shape, Func<string, float[]> weights)
    {
        _shape = shape;
        _weights = weights;
    }

    /// <summary>Called after the embedding and after each layer with the residual stream [tokens, hidden], and at last after the final norm.</summary>
    public Action<float[]>? HiddenStates { get; init; }

    /// <summary>Runs one sequence from position 0.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="lastOnly">True to compute the logits of the last position alone.</param>
    /// <returns>[tokens, vocabulary], or [vocabulary] of the last position.</returns>
    public float[] Logits(ReadOnlySpan<int> ids, bool lastOnly = false)
    {
        int tokens = ids.Length;
        float[] embedding = _weights("model.embed_tokens.weight");
        var residual = new float[tokens * _shape.Hidden];
        for (int token = 0; token < tokens; token++)
            embedding.AsSpan(ids[token] * _shape.Hidden, _shape.Hidden).CopyTo(residual.AsSpan(token * _shape.Hidden));
        HiddenStates?.Invoke(residual);
        for (int layer = 0; layer < _shape.Layers; layer++)
        {
            RunLayer($"model.layers.{layer}.", residual, tokens);
            if (layer < _shape.Layers - 1)
                HiddenStates?.Invoke(residual);
        }
        float[] normed = Normalize(residual, _weights("model.norm.weight"));
        HiddenStates?.Invoke(normed);
        float[] rows = lastOnly ? normed[^_shape.Hidden..] : normed;
        return ReferenceMath.MultiplyTransposed(rows, _weights("lm_head.weight"), _shape.Hidden);
    }

    /// <summary>exp of the mean next-token loss, over windows of <paramref name="windowLength"/> inputs side by side.</summary>
    /// <param name="ids">The whole text; window w predicts ids w·length + 1 … (w+1)·length, fewer at the end.</param>
    /// <param name="windowLength">Inputs of a window, which starts at position 0.</param>
    /// <param name="maxWindows">Windows to evaluate, from the start.</param>
    public double Perplexity(ReadOnlySpan<int> ids, int windowLength = 1024, int maxWindows = int.MaxValue)
    {
        double loss = 0;
        int predicted = 0;
        for (int window = 0; window < maxWindows && window * windowLength < ids.Length - 1; window++)
        {
            int first = window * windowLength;
            int inputs = Math.Min(windowLength, ids.Length - 1 - first);
            float[] logits = Logits(ids.Slice(first, inputs));
            for (int token = 0; token < inputs; token++)
                loss += ReferenceMath.NegativeLogLikelihood(logits.AsSpan(token * _shape.Vocabulary, _shape.Vocabulary), ids[first + token + 1]);
            predicted += inputs;
        }
        return Math.Exp(loss / predicted);
    }

    private void RunLayer(string prefix, float[] residual, int tokens)
    {
        float[] normed = Normalize(residual, _weights(prefix + "input_layernorm.weight"));
        float[] query = Project(normed, prefix + "self_attn.q_proj.weight", _shape.Hidden);
        float[] key = Project(normed, prefix + "self_attn.k_proj.weight", _shape.Hidden);
        float[] value = Project(normed, prefix + "self_attn.v_proj.weight", _shape.Hidden);
        Rotate(query, _shape.QueryHeads);
        Rotate(key, _shape.KeyValueHeads);
        float[] mixed = Attend(query, key, value, tokens);
        Add(residual, Project(mixed, prefix + "self_attn.o_proj.weight", _shape.QueryHeads * _shape.HeadDim));

        normed = Normalize(residual, _weights(prefix + "post_attention_layernorm.weight"));
        float[] gate = Project(normed, prefix + "mlp.gate_proj.weight", _shape.Hidden);
        float[] up = Project(normed, prefix + "mlp.up_proj.weight", _shape.Hidden);
        for (int i = 0; i < gate.Length; i++)
            gate[i] = gate[i] / (1f + MathF.Exp(-gate[i])) * up[i];
        Add(residual, Project(gate, prefix + "mlp.down_proj.weight", _shape.Intermediate));
    }

    private float[] Project(float[] input, string name, int columns) => ReferenceMath.MultiplyTransposed(input, _weights(name), columns);

    private static void Add(float[] residual, float[] values)
    {
        for (int i = 0; i < residual.Length; i++)
            residual[i] += values[i];
    }

    private float[] Normalize(float[] input, float[] weight)
    {
        var output = new float[input.Length];
        for (int row = 0; row < input.Length; row += weight.Length)
        {
            double squares = 0;
            for (int i = 0; i < weight.Length; i++)
                squares += (double)input[row + i] * input[row + i];
            float factor = (float)(1 / Math.Sqrt(squares / weight.Length + _shape.NormEpsilon));
            for (int i = 0; i < weight.Length; i++)
                output[row + i] = input[row + i] * factor * weight[i];
        }
        return output;
    }

    // Interleaved pairs: (a, b) at (2i, 2i+1) turns by position · θ^(−2i / headDim).
    private void Rotate(float[] vectors, int heads)
    {
        int width = heads * _shape.HeadDim;
        for (int i = 0; i < _shape.HeadDim; i += 2)
        {
            float inverseFrequency = (float)Math.Pow(_shape.RopeTheta, -(double)i / _shape.HeadDim);
            for (int token = 0; token < vectors.Length / width; token++)
            {
                (float sine, float cosine) = MathF.SinCos(token * inverseFrequency);
                for (int head = 0; head < heads; head++)
                {
                    Span<float> pair = vectors.AsSpan(token * width + head * _shape.HeadDim + i, 2);
                    (pair[0], pair[1]) = (pair[0] * cosine - pair[1] * sine, pair[1] * cosine + pair[0] * sine);
                }
            }
        }
    }

    private float[] Attend(float[] query, float[] key, float[] value, int tokens)
    {
        int headDim = _shape.HeadDim;
        int queryWidth = _shape.QueryHeads * headDim;
        int keyWidth = _shape.KeyValueHeads * headDim;
        int queriesPerKey = _shape.QueryHeads / _shape.KeyValueHeads;
        var output = new float[tokens * queryWidth];
        Parallel.For(0, tokens, token =>
        {
            var scores = new float[token + 1];
            for (int head = 0; head < _shape.QueryHeads; head++)
            {
                int keyOffset = head / queriesPerKey * headDim;
                ReadOnlySpan<float> queryVector = query.AsSpan(token * queryWidth + head * headDim, headDim);
                for (int past = 0; past <= token; past++)
                    scores[past] = ReferenceMath.Dot(queryVector, key.AsSpan(past * keyWidth + keyOffset, headDim)) / MathF.Sqrt(headDim);
                ReferenceMath.Softmax(scores);
                Span<float> mixed = output.AsSpan(token * queryWidth + head * headDim, headDim);
                for (int past = 0; past <= token; past++)
                    ReferenceMath.AddScaled(mixed, value.AsSpan(past * keyWidth + keyOffset, headDim), scores[past]);
            }
        });
        return output;
    }
}
