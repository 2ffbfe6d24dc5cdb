using Ernie.Cuda.Compilation;
using Ernie.Cuda.Execution;
using Ernie.Cuda.Memory;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Testing;
using Ernie.Testing.Gpu;
using Ernie.Weights;

namespace Ernie.Gpu.Tests;

/// <summary>The tiled projection that rotates queries and keys and writes the cache's pages.</summary>
public sealed class QueryKeyValueKernelTests
{
    private const int PagesPerSlot = 3, Slots = 2, Positions = PagesPerSlot * KernelPlan.TokensPerPage;
    private const float Poison = -77;

    [Theory]
    [InlineData("tales", "bf16", 9)]
    [InlineData("tales", "wint8", 65)]
    [InlineData("tales", "wint4", 300)]
    [InlineData("0.3b", "bf16", 17)]
    [InlineData("0.3b", "wint8", 129)]
    [InlineData("0.3b", "wint4", 257)]
    public void Tile_AnyTokenCount_RotatesAndFillsPages(string model, string format, int tokenCount)
    {
        Cuda.CudaDevice device = Gpu.Require();
        ModelShape shape = (model == "tales" ? DenseGraphs.Tales : DenseGraphs.Base) with { LayerCount = 1 };
        KernelPlan plan = KernelPlanner.Create(DenseGraphs.Create(shape, DenseGraphs.Recipes[format]), device.Profile);
        using DummyCheckpoint checkpoint = new();
        using WeightMatrix matrix = new WeightLoader(checkpoint).Load(FirstLayer.Of(plan.Lowered.Graph).QueryKeyValue);
        using CudaStream stream = new();
        using DeviceArena arena = new();
        using CudaKernel kernel = LinearKernelTests.Load(plan.Linear("qkv").TileFor(tokenCount).Kernel, device);
        DeviceLinear linear = LinearKernelTests.Upload(plan.Linear("qkv"), matrix, interleavesHalves: false, device, arena, stream);
        Random random = new(tokenCount);
        int inputs = matrix.Columns, outputs = matrix.Rows, half = shape.HeadDim / 2;
        float[] input = LinearKernelTests.Values(random, tokenCount * inputs), rotations = LinearKernelTests.Values(random, Positions * half * 2);
        int[] pages = [.. Enumerable.Range(0, PagesPerSlot * Slots).OrderBy(_ => random.Next())];
        float[] squares = [.. LinearKernelTests.Values(random, inputs / 64 * tokenCount).Select(value => 64 * Math.Abs(value))];
        double Factor(int token) => plan.Linear("qkv").TileFor(tokenCount).PreparesNorms
            ? 1 / Math.Sqrt((Enumerable.Range(0, inputs / 64).Sum(part => (double)squares[(part * tokenCount) + token]) / inputs) + shape.RmsNormEpsilon) : 1;
        double[] factors = [.. Enumerable.Range(0, tokenCount).Select(Factor)];
        // The second slot's tokens lie before the first's; positions begin inside a page.
        int[] places = [.. Enumerable.Range(0, tokenCount).SelectMany(token => (int[])[(token / 2) + 5, (token + 1) % Slots])];
        int cacheLength = pages.Length * KernelPlan.TokensPerPage * shape.KeyValueWidth;
        ulong Filled(int count) => LinearKernelTests.Upload<ushort>(arena, stream, [.. Enumerable.Repeat(LinearKernelTests.ToBits(Poison), count)]);
        EpilogueArguments epilogue = new()
        {
            Query = Filled(tokenCount * shape.QueryWidth), Keys = Filled(cacheLength), Values = Filled(cacheLength),
            Rotations = LinearKernelTests.Upload<float>(arena, stream, rotations),
            Places = LinearKernelTests.Upload<int>(arena, stream, places),
            PageTable = LinearKernelTests.Upload<int>(arena, stream, pages),
            PagesPerSlot = PagesPerSlot,
        };

        LinearKernelTests.LaunchTile(
            kernel, linear, tokenCount, LinearKernelTests.Upload<ushort>(arena, stream, [.. input.Select(LinearKernelTests.ToBits)]), tokenCount,
            LinearKernelTests.Upload<int>(arena, stream, [tokenCount]), LinearKernelTests.Upload<float>(arena, stream, squares), epilogue, stream);

        double[] query = new double[tokenCount * shape.QueryWidth];
        double[] keys = [.. Enumerable.Repeat((double)Poison, cacheLength)], values = [.. keys];
        Parallel.For(0, outputs / 2, pair =>
        {
            int n = 2 * pair, dimension = n % shape.HeadDim;
            float[] first = new float[inputs], second = new float[inputs];
            matrix.DequantizeRow(n, first);
            matrix.DequantizeRow(n + 1, second);
            for (int token = 0; token < tokenCount; token++)
            {
                double a = factors[token] * Dot(first, input.AsSpan(token * inputs, inputs));
                double b = factors[token] * Dot(second, input.AsSpan(token * inputs, inputs));
                int position = places[2 * token], slot = places[(2 * token) + 1];
                double cosine = rotations[((position * half) + (dimension / 2)) * 2], sine = rotations[(((position * half) + (dimension / 2)) * 2) + 1];
                (double x, double y) = ((a * cosine) - (b * sine), (b * cosine) + (a * sine));
                if (n < shape.QueryWidth)
                {
                    query[(token * shape.QueryWidth) + n] = x;
                    query[(token * shape.QueryWidth) + n + 1] = y;
                    continue;
                }

                bool isKey = n < shape.QueryWidth + shape.KeyValueWidth;
                int head = (n - shape.QueryWidth - (isKey ? 0 : shape.KeyValueWidth)) / shape.HeadDim;
                int page = pages[(slot * PagesPerSlot) + (position / KernelPlan.TokensPerPage)];
                int target = (((((page * shape.KeyValueHeads) + head) * KernelPlan.TokensPerPage) + (position % KernelPlan.TokensPerPage)) * shape.HeadDim) + dimension;
                (isKey ? keys : values)[target] = isKey ? x : a;
                (isKey ? keys : values)[target + 1] = isKey ? y : b;
            }
        });

        Numeric.AssertClose(query, Download(epilogue.Query, query.Length), Tolerance.Bf16Dot(inputs));
        Compare(keys, Download(epilogue.Keys, cacheLength));
        Compare(values, Download(epilogue.Values, cacheLength));

        double[] Download(ulong address, int count)
        {
            ushort[] bits = new ushort[count];
            stream.Download<ushort>(bits, address);
            return [.. bits.Select(value => (double)LinearKernelTests.FromBits(value))];
        }

        // Poison would drown the scale of the others' errors: it is compared apart.
        void Compare(double[] expected, double[] actual)
        {
            int[] written = [.. Enumerable.Range(0, cacheLength).Where(index => expected[index] != Poison)];
            Assert.Equal(tokenCount * shape.KeyValueWidth, written.Length);
            Numeric.AssertClose([.. written.Select(index => expected[index])], [.. written.Select(index => actual[index])], Tolerance.Bf16Dot(inputs));
            Assert.Equal(cacheLength - written.Length, actual.Count(value => value == Poison));
        }
    }

    private static double Dot(float[] row, ReadOnlySpan<float> input)
    {
        double sum = 0;
        for (int k = 0; k < row.Length; k++)
            sum += (double)row[k] * input[k];
        return sum;
    }
}
