namespace Ernie.Generators;

/// <summary>The whole numbers of a model, each after those it is written in.</summary>
public static class ModelConstants
{
    /// <summary>Lists a model's numbers.</summary>
    /// <param name="model">The model.</param>
    public static IReadOnlyList<ModelConstant> Of(ModelSpec model)
    {
        List<ModelConstant> constants =
        [
            new("HiddenSize", model.HiddenSize, "Width of the residual stream."),
            new("LayerCount", model.LayerCount, "Decoder layers."),
            new("QueryHeads", model.QueryHeads, "Query heads of a layer."),
            new("KeyValueHeads", model.KeyValueHeads, "Key/value heads of a layer."),
            new("HeadDim", model.HeadDim, "Width of a head."),
            new("QueryWidth", model.QueryHeads * model.HeadDim, "Width of all query heads together.", "QueryHeads * HeadDim"),
            new("KeyValueWidth", model.KeyValueHeads * model.HeadDim, "Width of all key heads together, and of all value heads.", "KeyValueHeads * HeadDim"),
            new("IntermediateSize", model.IntermediateSize, "Width of a dense feed-forward layer."),
            new("VocabularySize", model.VocabularySize, "Rows of the embedding table and of the logits."),
            new("MaxPosition", model.MaxPosition, "Positions the model was made for."),
        ];
        if (model.Experts is { } experts)
        {
            constants.Add(new("ExpertCount", experts.ExpertCount, "Routed experts in a layer."));
            constants.Add(new("ExpertsPerToken", experts.ExpertsPerToken, "Routed experts that a token visits."));
            constants.Add(new("SharedExpertCount", experts.SharedExpertCount, "Experts that every token visits."));
            constants.Add(new("ExpertIntermediateSize", experts.IntermediateSize, "Width of an expert."));
            if (experts.SharedExpertCount > 0)
            {
                constants.Add(new(
                    "SharedIntermediateSize", experts.IntermediateSize * experts.SharedExpertCount, "Width of the shared experts together.", "ExpertIntermediateSize * SharedExpertCount"));
            }

            constants.Add(new("FirstExpertLayer", experts.FirstLayer, "First layer that may hold experts."));
            constants.Add(new("LastExpertLayer", experts.LastLayer, "Last layer that may hold experts."));
            constants.Add(new("ExpertLayerInterval", experts.LayerInterval, "Layer i holds experts when (i + 1) is a multiple of this."));
        }

        return constants;
    }
}
