using System.Globalization;
using Ernie.Generators;
using Ernie.Graph;

namespace Ernie.Models;

/// <summary>Makes the model of a config that is not compiled in: the same numbers, weight table and family as a generated class has, without a compiler.</summary>
internal static class SpecModel
{
    /// <summary>Defines the model.</summary>
    /// <param name="modelName">Name of the model.</param>
    /// <param name="spec">Its numbers.</param>
    public static ModelDefinition Define(string modelName, ModelSpec spec)
    {
        ModelShape shape = Shape(modelName, spec);
        var constants = ModelConstants.Of(spec).ToDictionary(constant => constant.Name, constant => constant.Value, StringComparer.Ordinal);
        WeightTable weights = new();
        foreach (WeightSpec weight in GraphSpecBuilder.Build(modelName, spec).Weights)
            weights.Add(weight.Member, new WeightPattern(weight.Pattern, Number(weight.Rows), weight.Columns is { } columns ? Number(columns) : null));
        return new ModelDefinition(shape, spec.Identity, () => ModelTopologies.Build(spec.Family, shape, weights));

        // A dimension is a constant's name or a number.
        int Number(string dimension) => constants.TryGetValue(dimension, out int value) ? value : int.Parse(dimension, CultureInfo.InvariantCulture);
    }

    private static ModelShape Shape(string modelName, ModelSpec spec) => new()
    {
        Name = modelName,
        HiddenSize = spec.HiddenSize,
        LayerCount = spec.LayerCount,
        QueryHeads = spec.QueryHeads,
        KeyValueHeads = spec.KeyValueHeads,
        HeadDim = spec.HeadDim,
        IntermediateSize = spec.IntermediateSize,
        VocabularySize = spec.VocabularySize,
        MaxPosition = spec.MaxPosition,
        RopeTheta = spec.RopeTheta,
        CompressionRatio = spec.CompressionRatio,
        RmsNormEpsilon = spec.RmsNormEpsilon,
        TieWordEmbeddings = spec.TieWordEmbeddings,
        BeginTokenId = spec.BeginTokenId,
        EndTokenIds = [.. spec.EndTokenIds],
        PadTokenId = spec.PadTokenId,
        MixtureOfExperts = spec.Experts is not { } experts ? null : new MixtureOfExpertsShape
        {
            ExpertCount = experts.ExpertCount,
            ExpertsPerToken = experts.ExpertsPerToken,
            SharedExpertCount = experts.SharedExpertCount,
            IntermediateSize = experts.IntermediateSize,
            FirstLayer = experts.FirstLayer,
            LastLayer = experts.LastLayer,
            LayerInterval = experts.LayerInterval,
            RoutingWeightFloor = experts.RoutingWeightFloor,
        },
    };
}
