using Ernie.Testing;

namespace Ernie.Graph.Tests;

public sealed class PassGoldenTests
{
    private static readonly QuantizationRecipe s_recipe = new(WeightEncoding.Int8PerChannel, WeightEncoding.Bf16);

    [Fact]
    public void SharedPasses_DenseModel_MatchTheGoldenGraphs() =>
        Snapshot.MatchSet(GraphsByPass(SmallModels.Build(SmallModels.Dense with { LayerCount = 1 })));

    [Fact]
    public void SharedPasses_MixtureOfExperts_MatchTheGoldenGraphs() => Snapshot.MatchSet(GraphsByPass(SmallModels.Build(SmallModels.Mixture)));

    private static List<(string Name, string Text)> GraphsByPass(ModelGraph graph)
    {
        List<(string, string)> texts = [("0-built", GraphPrinter.Print(graph))];
        IReadOnlyList<IGraphPass> passes = SharedPasses.Create(s_recipe);
        for (int index = 0; index < passes.Count; index++)
        {
            ModelGraph result = PassRunner.Run(graph, [passes[index]]);
            if (!ReferenceEquals(result, graph))
            {
                texts.Add(($"{index}-{passes[index].Name}", GraphPrinter.Print(result)));
            }

            graph = result;
        }

        return texts;
    }
}
