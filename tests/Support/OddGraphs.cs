using Ernie.Graph;

namespace Ernie.Testing.Gpu;

/// <summary>Small dense graphs, as ERNIE's or with an oddity in their second layer, after the shared passes.</summary>
internal static class OddGraphs
{
    public static ModelGraph Create(ModelShape shape, QuantizationRecipe recipe, Oddity oddity = Oddity.None)
    {
        GraphBuilder builder = new(shape);
        TensorReference table = new("model.embed_tokens.weight", shape.VocabularySize, shape.HiddenSize);
        ValueId x = builder.Embed(table), first = x;
        for (int layer = 0; layer < shape.LayerCount; layer++)
            x = Layer(builder, shape, layer, x, first, layer == 1 ? oddity : Oddity.None);
        ValueId hidden = builder.RmsNorm(x, new TensorReference("model.norm.weight", shape.HiddenSize));
        ValueId rows = builder.SelectLogitRows(oddity.HasFlag(Oddity.HeadBeforeTheNorm) ? x : hidden);
        return PassRunner.Run(builder.Build(hidden, builder.Linear(rows, table, WeightRole.Head)), SharedPasses.Create(recipe));
    }

    private static ValueId Layer(GraphBuilder builder, ModelShape shape, int layer, ValueId x, ValueId first, Oddity oddity)
    {
        string prefix = $"model.layers.{layer}.";
        ValueId Norm(ValueId input, string name) => builder.RmsNorm(input, new TensorReference($"{prefix}{name}.weight", shape.HiddenSize));
        ValueId Product(ValueId input, string name, int rows, int columns, WeightRole role = WeightRole.AttentionProjection) =>
            builder.Linear(input, new TensorReference($"{prefix}{name}.weight", rows, columns), role);
        ValueId Attend(ValueId input)
        {
            ValueId query = Product(input, "q", shape.QueryWidth, shape.HiddenSize), key = Product(input, "k", shape.KeyValueWidth, shape.HiddenSize);
            ValueId value = Product(input, "v", shape.KeyValueWidth, shape.HiddenSize);
            query = builder.Rope(query, shape.QueryHeads, Pairing(oddity));
            if (!oddity.HasFlag(Oddity.UnrotatedKeys))
                key = builder.Rope(key, shape.KeyValueHeads, Pairing(oddity));
            if (oddity.HasFlag(Oddity.RotatedValues))
                value = builder.Rope(value, shape.KeyValueHeads, Pairing(oddity));
            ValueId attended = builder.Attention(layer, query, key, value);
            ValueId output = Product(attended, "o", shape.HiddenSize, shape.QueryWidth);
            return oddity.HasFlag(Oddity.ReadAttentionTwice) ? builder.Add(output, Product(attended, "o2", shape.HiddenSize, shape.QueryWidth)) : output;
        }

        ValueId Multiply(ValueId input)
        {
            ValueId gate = Product(input, "gate", shape.IntermediateSize, shape.HiddenSize, WeightRole.MlpProjection);
            ValueId up = Product(input, "up", shape.IntermediateSize, shape.HiddenSize, WeightRole.MlpProjection);
            ValueId activation = builder.SwiGlu(gate, up);
            if (oddity.HasFlag(Oddity.SecondActivation))
                activation = builder.SwiGlu(activation, activation);
            return Product(activation, "down", shape.HiddenSize, shape.IntermediateSize, WeightRole.MlpProjection);
        }

        if (oddity.HasFlag(Oddity.ParallelBlocks))
        {
            ValueId normed = Norm(x, "input_norm");
            return builder.Add(builder.Add(x, Attend(normed)), Multiply(normed));
        }

        if (oddity.HasFlag(Oddity.TwoNormsOfOneSum))
            return builder.Add(builder.Add(x, Attend(Norm(x, "input_norm"))), Multiply(Norm(x, "post_norm")));
        if (oddity.HasFlag(Oddity.PostNorm))
        {
            x = Norm(builder.Add(x, Attend(x)), "input_norm");
            return Norm(builder.Add(x, Multiply(x)), "post_norm");
        }

        ValueId branch = Attend(oddity.HasFlag(Oddity.UnnormedAttention) ? x : Norm(x, "input_norm"));
        if (oddity.HasFlag(Oddity.NormOfTheBranch))
            branch = Norm(branch, "branch_norm");
        if (oddity.HasFlag(Oddity.NoResidualSum))
            x = branch;
        else
            x = builder.Add(oddity.HasFlag(Oddity.SumOfTheFirstResidual) ? first : x, branch);
        return builder.Add(x, Multiply(Norm(x, "post_norm")));
    }

    private static RopePairing Pairing(Oddity oddity) => oddity.HasFlag(Oddity.RotatedByHalves) ? RopePairing.Halves : RopePairing.Interleaved;
}
