namespace Ernie.Generators;

/// <summary>Writes BuildGraph and the parts it is made of.</summary>
internal static class GraphEmitter
{
    /// <summary>Emits the methods of a model.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="model">The model's numbers.</param>
    public static void Emit(SourceWriter writer, ModelSpec model)
    {
        bool hasDense = GraphSpecBuilder.HasDenseLayer(model);
        EmitBuildGraph(writer, model, hasDense);
        EmitAttention(writer);
        if (hasDense)
        {
            EmitFeedForward(writer);
        }

        if (model.Experts is { } experts)
        {
            EmitMixture(writer, experts);
            EmitIsExpertLayer(writer);
        }
    }

    private static void EmitBuildGraph(SourceWriter writer, ModelSpec model, bool hasDense)
    {
        string feedForward = model.Experts is null
            ? "FeedForward(graph, layer, normalized)"
            : hasDense
                ? "HasExperts(layer) ? MixtureOfExperts(graph, layer, normalized) : FeedForward(graph, layer, normalized)"
                : "MixtureOfExperts(graph, layer, normalized)";
        string head = model.TieWordEmbeddings ? "Weights.Embedding" : "Weights.Head";

        writer.Summary("Builds the graph as the checkpoint defines it; passes specialise it.");
        writer.Open("public static ModelGraph BuildGraph()");
        writer.Line("var graph = new GraphBuilder(Shape);");
        writer.Line("ValueId residual = graph.Embed(Weights.Embedding.Tensor);");
        writer.Open("for (int layer = 0; layer < LayerCount; layer++)");
        writer.Line("ValueId attention = Attention(graph, layer, graph.RmsNorm(residual, Weights.AttentionNorm.At(layer)));");
        writer.Line("residual = graph.Add(residual, attention);");
        writer.Line();
        writer.Line("ValueId normalized = graph.RmsNorm(residual, Weights.FeedForwardNorm.At(layer));");
        writer.Line($"ValueId feedForward = {feedForward};");
        writer.Line("residual = graph.Add(residual, feedForward);");
        writer.Close();
        writer.Line();
        writer.Line("ValueId hidden = graph.RmsNorm(residual, Weights.FinalNorm.Tensor);");
        writer.Line($"ValueId logits = graph.Linear(graph.SelectLogitRows(hidden), {head}.Tensor, WeightRole.Head);");
        writer.Line("return graph.Build(hidden, logits);");
        writer.Close();
        writer.Line();
    }

    private static void EmitAttention(SourceWriter writer)
    {
        writer.Open("private static ValueId Attention(GraphBuilder graph, int layer, ValueId input)");
        writer.Line("ValueId query = graph.Linear(input, Weights.Query.At(layer), WeightRole.AttentionProjection);");
        writer.Line("ValueId key = graph.Linear(input, Weights.Key.At(layer), WeightRole.AttentionProjection);");
        writer.Line("ValueId value = graph.Linear(input, Weights.Value.At(layer), WeightRole.AttentionProjection);");
        writer.Line("ValueId output = graph.Attention(layer, graph.Rope(query, QueryHeads), graph.Rope(key, KeyValueHeads), value);");
        writer.Line("return graph.Linear(output, Weights.AttentionOutput.At(layer), WeightRole.AttentionProjection);");
        writer.Close();
    }

    private static void EmitFeedForward(SourceWriter writer)
    {
        writer.Line();
        writer.Open("private static ValueId FeedForward(GraphBuilder graph, int layer, ValueId input)");
        writer.Line("ValueId gate = graph.Linear(input, Weights.Gate.At(layer), WeightRole.MlpProjection);");
        writer.Line("ValueId up = graph.Linear(input, Weights.Up.At(layer), WeightRole.MlpProjection);");
        writer.Line("return graph.Linear(graph.SwiGlu(gate, up), Weights.Down.At(layer), WeightRole.MlpProjection);");
        writer.Close();
    }

    private static void EmitMixture(SourceWriter writer, ExpertsSpec experts)
    {
        writer.Line();
        writer.Open("private static ValueId MixtureOfExperts(GraphBuilder graph, int layer, ValueId input)");
        writer.Line("var routing = graph.Route(input, Weights.Router.At(layer), Weights.RouterCorrection.At(layer), ExpertsPerToken, RoutingWeightFloor);");
        writer.Line("var projections = Enumerable.Range(0, ExpertCount).Select(expert =>");
        writer.Line("    (Weights.ExpertGate.At(layer, expert), Weights.ExpertUp.At(layer, expert), Weights.ExpertDown.At(layer, expert)));");
        if (experts.SharedExpertCount == 0)
        {
            writer.Line("return graph.Experts(input, routing, projections);");
        }
        else
        {
            writer.Line("ValueId routed = graph.Experts(input, routing, projections);");
            writer.Line();
            writer.Line("ValueId gate = graph.Linear(input, Weights.SharedGate.At(layer), WeightRole.MlpProjection);");
            writer.Line("ValueId up = graph.Linear(input, Weights.SharedUp.At(layer), WeightRole.MlpProjection);");
            writer.Line("ValueId shared = graph.Linear(graph.SwiGlu(gate, up), Weights.SharedDown.At(layer), WeightRole.MlpProjection);");
            writer.Line("return graph.Add(routed, shared);");
        }

        writer.Close();
    }

    private static void EmitIsExpertLayer(SourceWriter writer)
    {
        writer.Line();
        writer.Line("private static bool HasExperts(int layer) =>");
        writer.Line("    layer >= FirstExpertLayer && layer <= LastExpertLayer && (layer + 1) % ExpertLayerInterval == 0;");
    }
}
