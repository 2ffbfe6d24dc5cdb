using Ernie.Graph;

namespace Ernie.Models;

/// <summary>A model that can be built: what a generated class offers.</summary>
/// <param name="Shape">The model's numbers.</param>
/// <param name="Identity">A text equal for equal configs, whatever their formatting, key order or name.</param>
/// <param name="BuildGraph">Builds the graph as the checkpoint defines it, before any pass.</param>
public sealed record ModelDefinition(ModelShape Shape, string Identity, Func<ModelGraph> BuildGraph)
{
    /// <summary>Builds the graph and runs the shared passes over it.</summary>
    /// <param name="recipe">Encodings of the weights.</param>
    /// <param name="dump">Receives the graph after every pass; null for what <c>ERNIE_DUMP</c> asks for.</param>
    /// <exception cref="GraphException">The recipe does not fit the model.</exception>
    public ModelGraph BuildOptimizedGraph(QuantizationRecipe recipe, TextWriter? dump = null) =>
        PassRunner.Run(BuildGraph(), SharedPasses.Create(recipe), dump ?? PassRunner.DumpFromEnvironment());
}
