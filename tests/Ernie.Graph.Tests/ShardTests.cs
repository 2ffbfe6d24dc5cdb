using Ernie.Testing;

namespace Ernie.Graph.Tests;

/// <summary>A model cut into parts that add up: the numbers of all ranks together are the whole model's.</summary>
public sealed class ShardTests
{
    private static readonly ModelShape s_shape = SmallModels.Dense with { QueryHeads = 8, KeyValueHeads = 4, VocabularySize = 32, IntermediateSize = 24 };

    public static TheoryData<int, int> SeedsAndSizes
    {
        get
        {
            TheoryData<int, int> data = [];
            for (int seed = 0; seed < 12; seed++)
            {
                foreach (int size in (int[])[2, 4, 8])
                {
                    data.Add(seed, size);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(SeedsAndSizes))]
    public void ShardLinears_RandomGraph_PartsGiveTheWholeModelsNumbers(int seed, int size)
    {
        ModelShape shape = Cuttable(SmallModels.Random(seed), seed);
        ModelGraph whole = SmallModels.Build(shape, headNorms: seed % 3 == 0);
        int[] tokens = [3, 31, 0, 17, 8], logitRows = [1, 4];

        ModelGraph[] parts = [.. Enumerable.Range(0, size).Select(rank => PassRunner.Run(whole, SharedPasses.Create(QuantizationRecipe.None, new ShardShape(rank, size))))];

        double[] expected = ReferenceInterpreter.Run(whole, tokens, logitRows), actual = ReferenceInterpreter.RunParts(parts, tokens, logitRows);
        Numeric.AssertClose(expected, actual, Tolerance.Relative(1e-12, "double sums over ranks in another order"));
    }

    [Theory]
    [MemberData(nameof(SeedsAndSizes))]
    public void ShardLinears_RandomGraph_EveryElementOfAProjectionIsOnOneRank(int seed, int size)
    {
        ModelGraph whole = SmallModels.Build(Cuttable(SmallModels.Random(seed), seed) with { KeyValueHeads = 8, QueryHeads = 8 });
        ShardShape[] shards = [.. Enumerable.Range(0, size).Select(rank => new ShardShape(rank, size))];

        long elements = shards.Sum(shard => Projections(new ShardLinears(shard).Run(whole)));

        Assert.Equal(Projections(whole), elements);
    }

    [Fact]
    public void ShardLinears_OneOfOne_IsTheGraphItself()
    {
        ModelGraph graph = SmallModels.Build(s_shape);

        Assert.Same(graph, new ShardLinears(new ShardShape(0, 1)).Run(graph));
    }

    [Fact]
    public void ShardLinears_MoreRanksThanKeyValueHeads_RepeatsThem()
    {
        ModelGraph graph = SmallModels.Build(s_shape with { KeyValueHeads = 2 });

        string[] keys = [.. Enumerable.Range(0, 4).Select(rank => new ShardLinears(new ShardShape(rank, 4)).Run(graph).Weights.Single(tensor => tensor.Name == "l0.k").ToString())];

        Assert.Equal(keys[0], keys[1]);
        Assert.Equal(keys[2], keys[3]);
        Assert.NotEqual(keys[0], keys[2]);
    }

    [Theory]
    [InlineData(3, "8 query heads do not divide by 3")]
    [InlineData(16, "8 query heads do not divide by 16")]
    public void ShardLinears_SizeThatDoesNotDivide_SaysWhatWouldWork(int size, string reason)
    {
        ModelGraph graph = SmallModels.Build(s_shape with { VocabularySize = 48 });

        GraphException exception = Assert.Throws<GraphException>(() => new ShardLinears(new ShardShape(0, size)).Run(graph));

        Assert.Contains("ERN2015", exception.Message, StringComparison.Ordinal);
        Assert.Contains($"{reason}; this model can be cut into 1, 2, 4, 8.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ShardLinears_VocabularyOrWidthThatDoesNotDivide_IsNamed()
    {
        Assert.Contains("33 rows of the vocabulary", ShardSizes.Obstacle(SmallModels.Build(s_shape with { VocabularySize = 33 }), 2), StringComparison.Ordinal);
        Assert.Contains("a feed-forward width of 25", ShardSizes.Obstacle(SmallModels.Build(s_shape with { IntermediateSize = 25 }), 2), StringComparison.Ordinal);
        Assert.Contains("6 key/value heads neither", ShardSizes.Obstacle(SmallModels.Build(s_shape with { KeyValueHeads = 6, QueryHeads = 12, VocabularySize = 48 }), 4), StringComparison.Ordinal);
    }

    [Fact]
    public void ShardLinears_FusedGraph_IsRefusedWithTheOperation()
    {
        ModelGraph fused = PassRunner.Run(SmallModels.Build(s_shape), [new FuseQkv()]);

        GraphException exception = Assert.Throws<GraphException>(() => new ShardLinears(new ShardShape(0, 2)).Run(fused));

        Assert.Contains("cannot be cut: its weight is fused already", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, 2)]
    [InlineData(2, 2)]
    [InlineData(0, 0)]
    public void ShardLinears_RankOutsideSize_Throws(int rank, int size) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ShardLinears(new ShardShape(rank, size)).Run(SmallModels.Build(s_shape)));

    [Fact]
    public void TensorReference_SliceOfASlice_CountsFromTheWhole()
    {
        TensorReference whole = new("w", 10, 8);

        TensorReference slice = whole.SliceRows(2, 6).SliceRows(1, 3).SliceColumns(4, 2);

        Assert.Equal("w [3..6 of 10, 4..6 of 8]", slice.ToString());
        Assert.Equal(whole, slice.Whole);
        Assert.Equal(6, slice.ElementCount);
        Assert.Throws<ArgumentOutOfRangeException>(() => whole.SliceRows(5, 6));
        Assert.Throws<ArgumentOutOfRangeException>(() => whole.SliceColumns(0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TensorReference("v", 4).SliceColumns(0, 1));
    }

    // Numbers that divide by 8, with every ratio of query to key/value heads.
    private static ModelShape Cuttable(ModelShape shape, int seed) => shape with
    {
        QueryHeads = 8,
        KeyValueHeads = 1 << (seed % 4),
        VocabularySize = 32,
        IntermediateSize = 8 * ((seed % 3) + 1),
        MixtureOfExperts = shape.MixtureOfExperts is { } experts ? experts with { IntermediateSize = 8 } : null,
    };

    private static long Projections(ModelGraph graph) =>
        graph.Linears.Where(linear => linear.Role != WeightRole.Router).SelectMany(linear => linear.Parts).Sum(part => part.ElementCount);
}
