using Ernie.Testing;

namespace Ernie.Graph.Tests;

public sealed class PassNumbersTests
{
    private static readonly QuantizationRecipe s_recipe = new(WeightEncoding.Int8PerChannel, WeightEncoding.Int8PerChannel);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void SharedPasses_RandomGraph_GiveTheSameNumbersAfterEachPass(int seed)
    {
        ModelGraph graph = SmallModels.Build(SmallModels.Random(seed), headNorms: seed % 3 == 0);
        var random = new Random(seed);
        int[] tokens = [.. Enumerable.Range(0, random.Next(1, 7)).Select(_ => random.Next(graph.Shape.VocabularySize))];
        int[] logitRows = [.. Enumerable.Range(0, tokens.Length).Where(row => row == tokens.Length - 1 || random.Next(2) == 0)];
        double[] expected = ReferenceInterpreter.Run(graph, tokens, logitRows);

        foreach (IGraphPass pass in SharedPasses.Create(s_recipe))
        {
            graph = PassRunner.Run(graph, [pass]);

            Numeric.AssertClose(expected, ReferenceInterpreter.Run(graph, tokens, logitRows), Tolerance.Exact);
        }
    }

    [Fact]
    public void ReferenceInterpreter_DifferentTokens_GiveDifferentNumbers()
    {
        ModelGraph graph = SmallModels.Build(SmallModels.Mixture);

        double[] one = ReferenceInterpreter.Run(graph, [3, 4, 5], [2]), other = ReferenceInterpreter.Run(graph, [4, 3, 5], [2]);

        Assert.NotEqual(one[..30], other[..30]);
        Assert.All(one, number => Assert.True(double.IsFinite(number)));
    }
}
