using Ernie.Graph;

namespace Ernie.Models;

/// <summary>The graphs of the families by name, for configs that are not compiled in.</summary>
internal static class ModelTopologies
{
    private static readonly Dictionary<string, Func<ModelShape, WeightTable, ModelGraph>> s_families = new(StringComparer.Ordinal)
    {
        ["Ernie45"] = Ernie45Topology.Build,
        ["Qwen3"] = Qwen3Topology.Build,
    };

    /// <summary>Builds a graph.</summary>
    /// <param name="family">Name of the family.</param>
    /// <param name="shape">The model's numbers.</param>
    /// <param name="weights">The model's tensors.</param>
    /// <exception cref="KeyNotFoundException">The generator knows a family that this list lacks.</exception>
    public static ModelGraph Build(string family, ModelShape shape, WeightTable weights) => s_families[family](shape, weights);
}
