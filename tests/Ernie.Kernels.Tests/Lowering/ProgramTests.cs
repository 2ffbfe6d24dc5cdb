using Ernie.Graph;
using Ernie.Graph.Tests;
using Ernie.Testing.Gpu;

namespace Ernie.Kernels.Tests;

/// <summary>A graph that is taken becomes a program with the graph's numbers, whatever range, device and cache; others are refused.</summary>
public sealed class ProgramTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 24)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Program_OfARandomGraph_GivesItsNumbersUnlessItIsRefused(int seed)
    {
        (ModelGraph graph, Oddity oddity) = RandomGraphs.Create(seed);
        Random random = new(seed);
        DeviceProfile device = DeviceProfile.Typical(GpuArchitecture.Tested[seed % GpuArchitecture.Tested.Count]);
        KeyValueFormat cache = seed % 3 == 0 ? KeyValueFormat.Float8 : KeyValueFormat.BFloat16;
        KernelPlan Plan() => KernelPlanner.Create(graph, device, keepsBf16Copies: seed % 5 != 0, cache: cache);
        if (oddity != Oddity.None)
        {
            Assert.Contains("has no GPU kernels", Assert.Throws<KernelPlanException>(Plan).Message, StringComparison.Ordinal);
            return;
        }

        KernelPlan plan = Plan();
        int[] first = Tokens(5), second = Tokens(3);
        double[] expected = ReferenceInterpreter.Run(graph, first, [2, 3, 4]), other = ReferenceInterpreter.Run(graph, second, [1, 2]);
        foreach ((ProgramRange range, int index) in plan.Program.Ranges.Select((range, index) => (range, index)))
        {
            ProgramInterpreter interpreter = new(plan);
            ProgramRange Head(int step) => plan.Program.Head[(index + step) % plan.Program.Head.Length];
            // A prompt alone; a decoding row beside a prompt; decoding rows alone.
            var prompt = interpreter.Run(range, Head(0), [new(0, 0, first[0]), new(0, 1, first[1]), new(0, 2, first[2])], 0, [2]);
            var mixed = interpreter.Run(range, Head(1), [new(0, 3, first[3]), new(1, 0, second[0]), new(1, 1, second[1])], 1, [0, 2]);
            var decode = interpreter.Run(range, Head(2), [new(0, 4, first[4]), new(1, 2, second[2])], 2, [0, 1]);

            string where = $"seed {seed}, steps of up to {range.MostRows} tokens on {device.Architecture}";
            AssertClose(expected, [prompt.Logits[0], mixed.Logits[0], decode.Logits[0], .. prompt.Hidden, mixed.Hidden[0], decode.Hidden[0]], where);
            AssertClose(other, [mixed.Logits[1], decode.Logits[1], mixed.Hidden[1], mixed.Hidden[2], decode.Hidden[1]], where);
        }

        int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(graph.Shape.VocabularySize))];
    }

    // Half of the seeds or so are taken: neither side of the test above may be empty.
    [Fact]
    public void Seeds_GiveGraphsOfBothKinds()
    {
        int taken = Enumerable.Range(1, 24).Count(seed => RandomGraphs.Create(seed).Oddity == Oddity.None);

        Assert.InRange(taken, 8, 20);
    }

    // Sums in another order, in double precision.
    private static void AssertClose(double[] expected, double[][] actual, string where)
    {
        double[] all = [.. actual.SelectMany(row => row)];
        Assert.Equal(expected.Length, all.Length);
        double largest = expected.Max(Math.Abs), error = expected.Zip(all, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(error < 1e-5 * largest, $"{where}: an error of {error:E2} where the largest number is {largest:E2}");
    }
}
