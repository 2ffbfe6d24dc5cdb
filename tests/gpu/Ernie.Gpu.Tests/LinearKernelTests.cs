using System.Collections.Concurrent;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Execution;
using Ernie.Cuda.Memory;
using Ernie.Cuda.Nvrtc;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Testing;
using Ernie.Testing.Gpu;
using Ernie.Weights;

namespace Ernie.Gpu.Tests;

/// <summary>The matrix kernels against sums in double of the weights that the CPU decodes.</summary>
public sealed class LinearKernelTests
{
    public static TheoryData<string, string, int> Cases => new(
        from model in (string[])["tales", "0.3b"]
        from format in s_formats
        from tokens in (int[])[1, 2, 7, 8, 9, 15, 16, 17, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 513, 1000, 1100]
        where model == "tales" || tokens is 1 or 8 or 9 or 65 or 257 || (format is "bf16" or "wint8" && tokens is 17 or 33 or 129)
        select (model, format, tokens));

    private const float Poison = -77;

    private static readonly string[] s_formats = ["bf16", "wint8", "wint4", "wint4-64", "wint4-channel", "fp8"];
    private static readonly Dictionary<KernelSpec, CompiledKernel> s_compiled = [];

    // Loading and quantising takes longer than multiplying.
    private static readonly ConcurrentDictionary<(string Model, string Format, string Name), WeightMatrix> s_matrices = new();

    [Theory]
    [MemberData(nameof(Cases))]
    public void Residual_AnyTokenCount_AddsTheProduct(string model, string format, int tokenCount) =>
        Check(model, format, tokenCount, plan => plan.Linear("down"), layer => layer.Down, isSwiGlu: false);

    [Theory]
    [InlineData("tales", 9)]
    [InlineData("tales", 300)]
    [InlineData("0.3b", 16)]
    [InlineData("0.3b", 129)]
    public void Residual_BeforeANorm_LeavesItsInputAndSquares(string model, int tokenCount)
    {
        Cuda.CudaDevice device = Gpu.Require();
        ModelShape shape = (model == "tales" ? DenseGraphs.Tales : DenseGraphs.Base) with { LayerCount = 1 };
        KernelPlan plan = KernelPlanner.Create(DenseGraphs.Create(shape, DenseGraphs.Recipes["bf16"]), device.Profile);
        Assert.SkipUnless(plan.Linear("qkv").TileFor(tokenCount).PreparesNorms, $"{device.Name} normalises in a kernel of its own.");
        using DummyCheckpoint checkpoint = new();
        using WeightMatrix matrix = new WeightLoader(checkpoint).Load(FirstLayer.Of(plan.Lowered.Graph).Output);
        using CudaStream stream = new();
        using DeviceArena arena = new();
        using CudaKernel kernel = Load(plan.Linear("o").TileFor(tokenCount).Kernel, device);
        DeviceLinear linear = Upload(plan.Linear("o"), matrix, interleavesHalves: false, device, arena, stream);
        Random random = new(tokenCount);
        int length = tokenCount * matrix.Rows;
        float[] gain = Values(random, matrix.Rows);
        ulong input = Upload<ushort>(arena, stream, [.. Values(random, tokenCount * matrix.Columns).Select(ToBits)]);
        ulong residual = Upload<float>(arena, stream, Values(random, length));
        ulong prepared = arena.Take(sizeof(ushort) * length), squares = arena.Take(sizeof(float) * length / 64);

        LaunchTile(
            kernel, linear, tokenCount, input, tokenCount, Upload<int>(arena, stream, [tokenCount]), 0, new EpilogueArguments { Output = residual }, stream,
            Upload<ushort>(arena, stream, [.. gain.Select(ToBits)]), prepared, squares);

        float[] sums = new float[length], actualSquares = new float[length / 64];
        ushort[] actual = new ushort[length];
        stream.Download<float>(sums, residual);
        stream.Download<ushort>(actual, prepared);
        stream.Download<float>(actualSquares, squares);
        Assert.Equal([.. sums.Select((value, index) => Round(value * gain[index % matrix.Rows]))], actual.Select(FromBits).ToArray());
        Numeric.AssertClose(
            [.. SumsOfSquares(sums, matrix.Rows, tokenCount).Select(value => (double)value)], [.. actualSquares.Select(value => (double)value)],
            Tolerance.Float32Dot(64));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void SwiGlu_AnyTokenCount_GatesTheNormalisedProduct(string model, string format, int tokenCount) =>
        Check(model, format, tokenCount, plan => plan.Linear("gate_up"), layer => layer.GateUp, isSwiGlu: true);

    /// <summary>Devices that need not keep bf16 copies multiply by the packed weights: the same kernels as on older ones.</summary>
    [Theory]
    [MemberData(nameof(PackedCases))]
    public void Residual_WithoutBf16Copies_AddsTheProduct(string format, int tokenCount) =>
        Check("0.3b", format, tokenCount, plan => plan.Linear("down"), layer => layer.Down, isSwiGlu: false, keepsBf16Copies: false);

    public static TheoryData<string, int> PackedCases => new(
        from format in s_formats
        from tokens in (int[])[9, 17, 33, 64, 65, 129, 256, 257]
        where format != "bf16"
        select (format, tokens));

    /// <summary>Every size of tile, whatever the plan makes of it; the last tile of tokens is not full.</summary>
    [Theory]
    [InlineData(16, 64, 8, 6)]
    [InlineData(64, 64, 2, 8)]
    [InlineData(64, 128, 4, 4)]
    [InlineData(128, 64, 4, 8)]
    [InlineData(128, 128, 1, 3)]
    [InlineData(256, 64, 2, 4)]
    [InlineData(256, 128, 1, 4)]
    public void WarpgroupTile_OfEverySize_AddsTheProduct(int tokens, int outputs, int split, int stages)
    {
        DeviceProfile device = Gpu.Require().Profile;
        Assert.SkipUnless(device.Architecture.HasWarpgroupProducts, "The device has no warpgroup products.");
        Check(
            "0.3b", "bf16", (2 * tokens) - 3,
            plan => plan.Linear("down") with
            {
                Tiles = [new WarpgroupTiles(device, new LinearUse("down", plan.Linear("down").Weight, "kResidual", [], Normalizes: false, 0)).Tile(tokens, outputs, split, stages)],
            },
            layer => layer.Down, isSwiGlu: false);
    }

    private static void Check(
        string model, string format, int tokenCount, Func<KernelPlan, LinearKernels> kernelsOf, Func<FirstLayer, LinearWeight> weightOf, bool isSwiGlu,
        bool keepsBf16Copies = true)
    {
        Cuda.CudaDevice device = Gpu.Require();
        ModelShape shape = (model == "tales" ? DenseGraphs.Tales : DenseGraphs.Base) with { LayerCount = 1 };
        KernelPlan plan = KernelPlanner.Create(DenseGraphs.Create(shape, Recipe(format)), device.Profile, null, keepsBf16Copies);
        LinearKernels kernels = kernelsOf(plan);
        Assert.SkipWhen(
            tokenCount > LinearKernels.DecodeTokens && kernels.TileFor(tokenCount).ReadsCodes, "Products of e4m3 are tested in Float8KernelTests.");
        KernelSpec specification = tokenCount <= LinearKernels.DecodeTokens ? kernels.Decode : kernels.TileFor(tokenCount).Kernel;
        LinearWeight weight = weightOf(FirstLayer.Of(plan.Lowered.Graph));
        WeightMatrix matrix = Matrix(model, format, weight);
        using CudaStream stream = new();
        using DeviceArena arena = new();
        using CudaKernel kernel = Load(specification, device);
        DeviceLinear linear = Upload(kernels, matrix, isSwiGlu, device, arena, stream);
        Random random = new(HashCode.Combine(tokenCount, matrix.Rows));
        int inputs = matrix.Columns, outputs = matrix.Rows, width = isSwiGlu ? outputs / 2 : outputs;
        float[] input = Values(random, tokenCount * inputs), old = Values(random, tokenCount * outputs);
        float[] gain = Values(random, inputs);
        bool normalizesHere = isSwiGlu && tokenCount <= LinearKernels.DecodeTokens;

        // What lies behind the tokens must not matter: rows of NaN.
        float[] withMore = [.. input, .. Enumerable.Repeat(float.NaN, 8 * inputs)];
        // Who reads the residual times the gain scales its sums by the root mean square, which comes as sums of squares.
        bool scalesSums = isSwiGlu && !normalizesHere && kernels.TileFor(tokenCount).ReadsPlainRows;
        if (scalesSums)
            withMore = [.. withMore.Select((value, index) => Round(value * gain[index % inputs]))];
        ulong squares = Upload<float>(arena, stream, SumsOfSquares(input, inputs, tokenCount));
        ulong inputAddress = normalizesHere ? Upload<float>(arena, stream, withMore) : Upload<ushort>(arena, stream, [.. withMore.Select(ToBits)]);
        ulong gainAddress = Upload<ushort>(arena, stream, [.. gain.Select(ToBits)]);
        ulong countAddress = Upload<int>(arena, stream, [tokenCount]);
        float[] Run()
        {
            // One row more than there are tokens: it must stay as it is.
            float[] poisoned = isSwiGlu
                ? [.. Enumerable.Repeat(Poison, (tokenCount + 1) * width)] : [.. old, .. Enumerable.Repeat(Poison, outputs)];
            ulong outputAddress = isSwiGlu ? Upload<ushort>(arena, stream, [.. poisoned.Select(ToBits)]) : Upload<float>(arena, stream, poisoned);
            EpilogueArguments epilogue = isSwiGlu ? new() { Activation = outputAddress } : new() { Output = outputAddress };
            if (tokenCount <= LinearKernels.DecodeTokens)
            {
                kernel.Launch(stream.Handle, kernels.DecodeTiles, 1, 1, new LinearDecodeArguments
                {
                    Weight = linear.Weight, Scales = linear.Scales, Input = inputAddress, Gain = gainAddress, TokenCount = countAddress,
                    TokenCapacity = LinearKernels.DecodeTokens, Epilogue = epilogue,
                }, overlapsPrevious: false);
            }
            else
            {
                LaunchTile(kernel, linear, tokenCount, inputAddress, tokenCount + 8, countAddress, squares, epilogue, stream);
            }

            if (!isSwiGlu)
            {
                stream.Download<float>(poisoned, outputAddress);
                return poisoned;
            }

            ushort[] bits = new ushort[poisoned.Length];
            stream.Download<ushort>(bits, outputAddress);
            return [.. bits.Select(FromBits)];
        }

        float[] actual = Run();
        Assert.All(actual[(tokenCount * width)..], value => Assert.Equal(Poison, value));
        Assert.Equal(actual, Run());

        if (normalizesHere || scalesSums)
            input = Normalize(input, gain, inputs, shape.RmsNormEpsilon);
        double[] expected = Expected(matrix, input, old, tokenCount, isSwiGlu);
        double[] got = [.. actual[..(tokenCount * width)].Select(value => (double)value)];
        Numeric.AssertClose(expected, got, isSwiGlu ? Tolerance.Bf16Product(inputs) : Tolerance.Bf16Dot(inputs));
    }

    /// <summary>A weight in a format; loaded once.</summary>
    internal static WeightMatrix Matrix(string model, string format, LinearWeight weight) => s_matrices.GetOrAdd((model, format, weight.Parts[0].Name), _ =>
    {
        using DummyCheckpoint checkpoint = new();
        return new WeightLoader(checkpoint).Load(weight);
    });

    internal static void LaunchTile(
        CudaKernel kernel, DeviceLinear linear, int tokenCount, ulong input, int inputRows, ulong count, ulong squares,
        in EpilogueArguments epilogue, CudaStream stream, ulong gain = 0, ulong prepared = 0, ulong newSquares = 0)
    {
        LinearTile tile = linear.Kernels.TileFor(tokenCount);
        int blocks = linear.Kernels.Weight.OutFeatures / tile.Outputs, tokenTiles = (tokenCount + tile.Tokens - 1) / tile.Tokens;
        if (tile.ReadsPlainRows)
        {
            kernel.Launch(stream.Handle, blocks * tile.Split, tokenTiles, 1, new LinearWgmmaArguments
            {
                Weight = linear.PlainWeight,
                Input = TensorMap.Of(input, inputRows, linear.Kernels.Weight.InFeatures, tile.Tokens),
                Scales = linear.Scales, TokenCount = count, Epilogue = epilogue,
                Squares = squares, SquareStride = tokenCount, Gain = gain, Prepared = prepared, NewSquares = newSquares,
            }, overlapsPrevious: false);
            return;
        }

        kernel.Launch(stream.Handle, blocks, tokenTiles, 1, new LinearTileArguments
        {
            Weight = linear.Weight, Scales = linear.Scales, Input = input, TokenCount = count, Epilogue = epilogue,
        }, overlapsPrevious: false);
    }

    internal static DeviceLinear Upload(
        LinearKernels kernels, WeightMatrix matrix, bool interleavesHalves, Cuda.CudaDevice device, DeviceArena arena, CudaStream stream)
    {
        (ulong elements, ulong scales) = DeviceWeights.Upload(matrix, interleavesHalves, arena, stream);
        DeviceLinear linear = new(kernels, elements, scales);
        if (!kernels.Tiles.Any(tile => tile.ReadsPlainRows))
            return linear;

        ulong plain = elements;
        if (kernels.Expand is { } expand)
        {
            using CudaKernel expansion = Load(expand, device);
            plain = arena.Take((long)matrix.Rows * matrix.Columns * sizeof(ushort));
            DeviceWeights.Expand(expansion, linear, plain, stream);
            stream.Synchronize();
        }

        return linear with { PlainWeight = TensorMap.Of(plain, matrix.Rows, matrix.Columns, boxRows: 64) };
    }

    /// <summary>Sums of 64 squares: [width / 64, tokens].</summary>
    internal static float[] SumsOfSquares(float[] values, int width, int tokenCount)
    {
        float[] sums = new float[width / 64 * tokenCount];
        for (int index = 0; index < tokenCount * width; index++)
            sums[(index % width / 64 * tokenCount) + (index / width)] += values[index] * values[index];
        return sums;
    }

    private static double[] Expected(WeightMatrix matrix, float[] input, float[] old, int tokenCount, bool isSwiGlu)
    {
        int inputs = matrix.Columns, outputs = matrix.Rows;
        double[] products = new double[tokenCount * outputs];
        Parallel.For(0, outputs, n =>
        {
            float[] row = new float[inputs];
            matrix.DequantizeRow(n, row);
            for (int token = 0; token < tokenCount; token++)
            {
                double sum = 0;
                for (int k = 0; k < inputs; k++)
                    sum += (double)row[k] * input[(token * inputs) + k];
                products[(token * outputs) + n] = sum;
            }
        });
        if (!isSwiGlu)
            return [.. products.Select((product, index) => product + old[index])];

        int width = outputs / 2;
        double[] gated = new double[tokenCount * width];
        for (int token = 0; token < tokenCount; token++)
        {
            for (int i = 0; i < width; i++)
            {
                double gate = products[(token * outputs) + i];
                gated[(token * width) + i] = gate / (1 + Math.Exp(-gate)) * products[(token * outputs) + width + i];
            }
        }

        return gated;
    }

    private static float[] Normalize(float[] input, float[] gain, int width, double epsilon)
    {
        float[] normalized = new float[input.Length];
        for (int token = 0; token < input.Length / width; token++)
        {
            double squares = 0;
            for (int k = 0; k < width; k++)
                squares += (double)input[(token * width) + k] * input[(token * width) + k];
            double factor = 1 / Math.Sqrt((squares / width) + epsilon);
            // The kernels round the product with the gain and scale the sums.
            for (int k = 0; k < width; k++)
                normalized[(token * width) + k] = (float)(Round(input[(token * width) + k] * gain[k]) * factor);
        }

        return normalized;
    }

    private static QuantizationRecipe Recipe(string format) => format switch
    {
        "wint4-64" => new(WeightEncoding.Int4Group(64), WeightEncoding.Bf16),
        "wint4-channel" => new(WeightEncoding.Int4PerChannel, WeightEncoding.Bf16),
        _ => DenseGraphs.Recipes[format],
    };

    internal static CudaKernel Load(KernelSpec specification, Cuda.CudaDevice device)
    {
        lock (s_compiled)
        {
            if (s_compiled.Count == 0)
            {
                // All at once, on all cores: one by one they would take most of the tests' time.
                KernelSpec[] all =
                [
                    .. from shape in (ModelShape[])[DenseGraphs.Tales, DenseGraphs.Base]
                       from format in s_formats
                       from keepsBf16Copies in (bool[])[true, false]
                       let plan = KernelPlanner.Create(DenseGraphs.Create(shape with { LayerCount = 1 }, Recipe(format)), device.Profile, null, keepsBf16Copies)
                       from kernel in plan.Linears.Where(linear => linear != plan.Head).SelectMany(linear => linear.Kernels)
                       select kernel,
                ];
                foreach ((KernelSpec key, CompiledKernel kernel) in
                    new KernelCompiler(CubinCache.Default(), NvrtcForTests.Require()).Compile(all, device.Profile.Architecture))
                    s_compiled.Add(key, kernel);
            }

            if (!s_compiled.TryGetValue(specification, out CompiledKernel? compiled))
            {
                KernelCompiler compiler = new(CubinCache.Default(), NvrtcForTests.Require());
                compiled = compiler.Compile([specification], device.Profile.Architecture)[specification];
                s_compiled.Add(specification, compiled);
            }

            return CudaKernel.Load(specification, compiled.Cubin.Span);
        }
    }

    internal static ulong Upload<T>(DeviceArena arena, CudaStream stream, T[] values)
        where T : unmanaged
    {
        ulong address = arena.Take(values.Length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
        stream.Upload<T>(address, values);
        return address;
    }

    internal static float[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => Round((random.NextSingle() * 2) - 1))];

    internal static float FromBits(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    internal static ushort ToBits(float value) => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);

    internal static float Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000);
    }
}
