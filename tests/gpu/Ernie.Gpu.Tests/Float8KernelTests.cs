using System.Numerics;
using System.Runtime.InteropServices;
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

/// <summary>
/// Products of e4m3 by e4m3 against sums in double of what the codes stand for, and the codes that kernels leave against quantisation on
/// the host. Inputs are quantised on the host, so that the products' bound is that of their sums alone.
/// </summary>
public sealed class Float8KernelTests
{
    private const float Poison = -77;

    // Products of two e4m3 values are exact; the tensor core aligns those it adds to the largest of them and keeps 13 bits or so.
    private static readonly Tolerance s_sums = Tolerance.Relative(1.0 / 2048, "sums of the tensor core's e4m3 products, 2^-13 of the largest each");

    // Tokens around the borders of tiles of 64 and 128.
    private static readonly int[] s_tokenCounts = [1, 9, 63, 64, 65, 127, 128, 129, 257, 1000];

    private static readonly Lazy<IReadOnlyDictionary<KernelSpec, CompiledKernel>> s_compiled = new(Compile);

    // A tile's shape: tokens, outputs, split, stages.
    private static readonly (int Tokens, int Outputs, int Split, int Stages)[] s_tiles =
        [(128, 256, 1, 4), (128, 128, 1, 6), (128, 128, 2, 5), (64, 256, 1, 5), (64, 128, 2, 3)];

    public static TheoryData<string, string, int> Cases => new(
        from model in (string[])["tales", "0.3b"]
        from tile in s_tiles
        from tokens in s_tokenCounts
        where model == "tales" || tokens is 65
        select (model, NameOf(tile), tokens));

    // 128 activations of 256 outputs share a factor.
    public static TheoryData<string, string, int> WideCases => new(
        from model in (string[])["tales", "0.3b"]
        from tile in s_tiles
        from tokens in s_tokenCounts
        where tile.Outputs == 256 && (model == "tales" || tokens is 65)
        select (model, NameOf(tile), tokens));

    [Theory]
    [InlineData(2048, 1)]
    [InlineData(2048, 7)]
    [InlineData(2048, 300)]
    [InlineData(512, 65)]
    [InlineData(256, 129)]
    public void Quantize_AnyTokenCount_GivesTheNearestCodes(int width, int tokenCount)
    {
        Cuda.CudaDevice device = Gpu.Require();
        Assert.SkipUnless(device.Profile.Architecture.HasFloat8Products, $"{device.Name} has no e4m3 products.");
        using CudaStream stream = new();
        using DeviceArena arena = new();
        using CudaKernel kernel = Load(Float8Tiles.Quantize("rows", width), device);
        Random random = new(HashCode.Combine(width, tokenCount));
        float[] values = [.. LinearKernelTests.Values(random, tokenCount * width).Select(value => LinearKernelTests.Round(value * MathF.Exp(6 * random.NextSingle())))];
        values.AsSpan(0, QuantizedInput.BlockWidth).Clear(); // nothing but zeros: no factor to divide by
        QuantizedRows output = QuantizedInput.Empty(arena, stream, width, tokenCount);

        kernel.Launch(
            stream.Handle, KernelPlan.QuantizeBlocks(tokenCount, width), 1, 1,
            new QuantizeRowsArguments
            {
                Input = LinearKernelTests.Upload<ushort>(arena, stream, [.. values.Select(LinearKernelTests.ToBits)]),
                TokenCount = LinearKernelTests.Upload<int>(arena, stream, [tokenCount]), Output = output,
            },
            overlapsPrevious: false);

        AssertQuantized(values, QuantizedInput.Download(stream, output, width, tokenCount));
        byte[] codes = new byte[(tokenCount + 1) * width];
        stream.Download<byte>(codes, output.Codes);
        Assert.All(codes[^width..], code => Assert.Equal(0x7F, code));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Residual_EveryTile_AddsTheProductAndPreparesTheNorm(string model, string tile, int tokenCount)
    {
        using Problem problem = new(model, layer => layer.Down, "down", "kResidual", tile, tokenCount);
        int width = problem.Matrix.Rows;
        float[] old = LinearKernelTests.Values(problem.Random, tokenCount * width), gain = LinearKernelTests.Values(problem.Random, width);
        ulong residual = problem.Upload<float>([.. old, .. Enumerable.Repeat(Poison, width)]);
        ulong squares = problem.Upload<float>([.. Enumerable.Repeat(Poison, width / 64 * problem.Input.Stride)]);
        QuantizedRows prepared = QuantizedInput.Empty(problem.Arena, problem.Stream, width, tokenCount);

        problem.Launch(new LinearFloat8Arguments
        {
            Gain = problem.Upload<ushort>([.. gain.Select(LinearKernelTests.ToBits)]), NewSquares = squares, Quantized = prepared,
            Epilogue = new EpilogueArguments { Output = residual },
        });

        float[] actual = problem.Download<float>(residual, (tokenCount + 1) * width);
        Assert.All(actual[(tokenCount * width)..], value => Assert.Equal(Poison, value));
        double[] products = problem.Products();
        Numeric.AssertClose(
            [.. products.Select((product, index) => product + old[index])], [.. actual[..(tokenCount * width)].Select(value => (double)value)], s_sums);

        // What it leaves to the next kernel is to be what follows from the residual it wrote.
        float[] times = [.. actual[..(tokenCount * width)].Select((value, index) => value * gain[index % width])];
        AssertQuantized(times, QuantizedInput.Download(problem.Stream, prepared, width, tokenCount));
        float[] sums = problem.Download<float>(squares, width / 64 * problem.Input.Stride);
        for (int token = 0; token < tokenCount; token++)
        {
            for (int part = 0; part < width / 64; part++)
            {
                double expected = actual.AsSpan((token * width) + (part * 64), 64).ToArray().Sum(value => (double)value * value);
                Assert.Equal(expected, sums[(part * problem.Input.Stride) + token], 1e-5 * expected);
            }
        }
    }

    [Theory]
    [MemberData(nameof(WideCases))]
    public void SwiGlu_EveryTile_LeavesQuantisedActivations(string model, string tile, int tokenCount)
    {
        using Problem problem = new(model, layer => layer.GateUp, "gate_up", "kSwiglu", tile, tokenCount);
        int width = problem.Matrix.Rows / 2;
        QuantizedRows activations = QuantizedInput.Empty(problem.Arena, problem.Stream, width, tokenCount);

        problem.Launch(new LinearFloat8Arguments { Squares = problem.UploadSquares(), Quantized = activations });

        float[] expected = [.. problem.Gated(problem.Factor).Select(value => (float)value)];
        AssertQuantized(expected, QuantizedInput.Download(problem.Stream, activations, width, tokenCount), slack: 2e-3f);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void QueryKeyValue_EveryTile_RotatesAndFillsPages(string model, string tile, int tokenCount)
    {
        const int PagesPerSlot = 9, Slots = 2, Positions = PagesPerSlot * KernelPlan.TokensPerPage;
        using Problem problem = new(model, layer => layer.QueryKeyValue, "qkv", "kQkv", tile, tokenCount);
        ModelShape shape = problem.Shape;
        int half = shape.HeadDim / 2;
        float[] rotations = LinearKernelTests.Values(problem.Random, Positions * half * 2);
        int[] pages = [.. Enumerable.Range(0, PagesPerSlot * Slots).OrderBy(_ => problem.Random.Next())];
        // Positions begin inside a page; neighbours are of different slots.
        int[] places = [.. Enumerable.Range(0, tokenCount).SelectMany(token => (int[])[(token / 2) + 5, (token + 1) % Slots])];
        int cacheLength = pages.Length * KernelPlan.TokensPerPage * shape.KeyValueWidth;
        ulong Filled(int count) => problem.Upload<ushort>([.. Enumerable.Repeat(LinearKernelTests.ToBits(Poison), count)]);
        EpilogueArguments epilogue = new()
        {
            Query = Filled((tokenCount + 1) * shape.QueryWidth), Keys = Filled(cacheLength), Values = Filled(cacheLength),
            Rotations = problem.Upload(rotations), Places = problem.Upload(places), PageTable = problem.Upload(pages), PagesPerSlot = PagesPerSlot,
        };

        problem.Launch(new LinearFloat8Arguments { Squares = problem.UploadSquares(), Quantized = new QuantizedRows { Stride = problem.Input.Stride }, Epilogue = epilogue });

        double[] products = problem.Products();
        double[] query = [.. Enumerable.Repeat((double)Poison, (tokenCount + 1) * shape.QueryWidth)];
        double[] keys = [.. Enumerable.Repeat((double)Poison, cacheLength)], values = [.. keys];
        int outputCount = problem.Matrix.Rows;
        for (int token = 0; token < tokenCount; token++)
        {
            int position = places[2 * token], slot = places[(2 * token) + 1];
            int page = pages[(slot * PagesPerSlot) + (position / KernelPlan.TokensPerPage)];
            for (int n = 0; n < outputCount; n += 2)
            {
                double a = problem.Factor(token) * products[(token * outputCount) + n], b = problem.Factor(token) * products[(token * outputCount) + n + 1];
                int dimension = n % shape.HeadDim, rotation = ((position * half) + (dimension / 2)) * 2;
                bool isQuery = n < shape.QueryWidth, isValue = n >= shape.QueryWidth + shape.KeyValueWidth;
                (double cosine, double sine) = isValue ? (1, 0) : (rotations[rotation], rotations[rotation + 1]);
                int head = (n - shape.QueryWidth - (isValue ? shape.KeyValueWidth : 0)) / shape.HeadDim;
                int target = isQuery ? (token * shape.QueryWidth) + n
                    : (((((page * shape.KeyValueHeads) + head) * KernelPlan.TokensPerPage) + (position % KernelPlan.TokensPerPage)) * shape.HeadDim) + dimension;
                double[] written = isQuery ? query : isValue ? values : keys;
                written[target] = (a * cosine) - (b * sine);
                written[target + 1] = (b * cosine) + (a * sine);
            }
        }

        foreach ((double[] expected, ulong address) in ((double[], ulong)[])[(query, epilogue.Query), (keys, epilogue.Keys), (values, epilogue.Values)])
        {
            float[] actual = [.. problem.Download<ushort>(address, expected.Length).Select(LinearKernelTests.FromBits)];
            // Poison would drown the scale of the others' errors: it is compared apart.
            int[] written = [.. Enumerable.Range(0, expected.Length).Where(index => expected[index] != Poison)];
            // Sums times made-up rotations and factors: their extremes lie as far out as those of products of sums, and are rounded as coarsely.
            Numeric.AssertClose(
                [.. written.Select(index => expected[index])], [.. written.Select(index => (double)actual[index])], Tolerance.Bf16Product(problem.Matrix.Columns));
            Assert.Equal(expected.Length - written.Length, actual.Count(value => value == Poison));
        }
    }

    /// <summary>The form for mma.sync, which a plan for compute capability 8.9 has; the instructions are the same here.</summary>
    [Theory]
    [InlineData("tales", 9)]
    [InlineData("tales", 127)]
    [InlineData("tales", 129)]
    [InlineData("0.3b", 128)]
    [InlineData("0.3b", 300)]
    public void Tile_ForResidual_AddsTheProduct(string model, int tokenCount)
    {
        using Problem problem = new(model, layer => layer.Down, AdaPlan(model).Linear("down").TileFor(4096), interleaves: false, tokenCount);
        int width = problem.Matrix.Rows;
        float[] old = LinearKernelTests.Values(problem.Random, tokenCount * width);
        ulong residual = problem.Upload<float>([.. old, .. Enumerable.Repeat(Poison, width)]);

        problem.LaunchTile(new EpilogueArguments { Output = residual });

        float[] actual = problem.Download<float>(residual, (tokenCount + 1) * width);
        Assert.All(actual[(tokenCount * width)..], value => Assert.Equal(Poison, value));
        Numeric.AssertClose(
            [.. problem.Products().Select((product, index) => product + old[index])], [.. actual[..(tokenCount * width)].Select(value => (double)value)], s_sums);
    }

    [Theory]
    [InlineData("tales", 65)]
    [InlineData("0.3b", 257)]
    public void Tile_ForSwiGlu_GatesTheProduct(string model, int tokenCount)
    {
        using Problem problem = new(model, layer => layer.GateUp, AdaPlan(model).Linear("gate_up").TileFor(4096), interleaves: true, tokenCount);
        int width = problem.Matrix.Rows / 2;
        ulong activation = problem.Upload<ushort>([.. Enumerable.Repeat(LinearKernelTests.ToBits(Poison), (tokenCount + 1) * width)]);

        problem.LaunchTile(new EpilogueArguments { Activation = activation });

        float[] actual = [.. problem.Download<ushort>(activation, (tokenCount + 1) * width).Select(LinearKernelTests.FromBits)];
        Assert.All(actual[(tokenCount * width)..], value => Assert.Equal(Poison, value));
        Numeric.AssertClose(
            problem.Gated(_ => 1), [.. actual[..(tokenCount * width)].Select(value => (double)value)], Tolerance.Bf16Product(problem.Matrix.Columns));
    }

    [Theory]
    [InlineData("tales", 1)]
    [InlineData("tales", 33)]
    [InlineData("0.3b", 9)]
    public void Normalize_IntoCodes_IsTheNormQuantised(string model, int tokenCount)
    {
        Cuda.CudaDevice device = Gpu.Require();
        Assert.SkipUnless(device.Profile.Architecture.HasFloat8Products, $"{device.Name} has no e4m3 products.");
        using KernelBench bench = new(model, _ => AdaPlan(model).Selection.NormalizeFloat8!); // Plans for 8.9 have one.
        using DeviceArena arena = new();
        int width = bench.Shape.HiddenSize;
        Random random = new(HashCode.Combine(tokenCount, width));
        float[] input = LinearKernelTests.Values(random, tokenCount * width), gain = LinearKernelTests.Values(random, width);
        QuantizedRows output = QuantizedInput.Empty(arena, bench.Stream, width, tokenCount);
        ulong exact = bench.Upload(new float[tokenCount * width]);

        bench.Kernel.Launch(
            bench.Stream.Handle, tokenCount + 2, 1, 1,
            new NormArguments
            {
                Input = bench.Upload(input), Gain = bench.Upload<ushort>([.. gain.Select(LinearKernelTests.ToBits)]), RowCount = bench.Upload<int>([tokenCount]),
                OutputFloat = exact, Quantized = output,
            },
            overlapsPrevious: false);

        AssertQuantized(bench.Download<float>(exact, tokenCount * width), QuantizedInput.Download(bench.Stream, output, width, tokenCount));
    }

    [Theory]
    [InlineData("tales", 5)]
    [InlineData("0.3b", 40)]
    public void Embed_BeforeProductsOfCodes_LeavesTheFirstNormsInput(string model, int tokenCount)
    {
        const int Vocabulary = 300, Slots = 1;
        Require();
        KernelSpec embed = Plan(model, "sm_90a").Embed;
        using KernelBench bench = new(model, _ => embed);
        using DeviceArena arena = new();
        int width = bench.Shape.HiddenSize, stride = QuantizedInput.StrideOf(tokenCount);
        Random random = new(tokenCount);
        float[] table = LinearKernelTests.Values(random, Vocabulary * width), gain = LinearKernelTests.Values(random, width);
        int[] ids = [.. Enumerable.Range(0, tokenCount).Select(_ => random.Next(Vocabulary))];
        StepHeader header = new() { RowCount = 1, TokenCount = tokenCount, TokensOffset = StepLayout.HeaderInts + (6 * Slots) };
        int[] step = [.. MemoryMarshal.Cast<StepHeader, int>([header]), 0, 0, tokenCount, 0, 0, 0, .. ids.SelectMany(id => (int[])[id, 0])];
        QuantizedRows output = QuantizedInput.Empty(arena, bench.Stream, width, tokenCount);
        ulong squares = bench.Upload(new float[width / 64 * stride]);

        bench.Kernel.Launch(
            bench.Stream.Handle, tokenCount, 1, 1,
            new EmbedArguments
            {
                Header = bench.Upload(step), RowCapacity = Slots, PageTable = bench.Upload(new int[1]), LastToken = bench.Upload(new int[1]),
                Embedding = bench.Upload<ushort>([.. table.Select(LinearKernelTests.ToBits)]), Residual = bench.Upload(new float[tokenCount * width]),
                Places = bench.Upload(new int[2 * tokenCount]), Gain = bench.Upload<ushort>([.. gain.Select(LinearKernelTests.ToBits)]),
                Squares = squares, SquareStride = stride, Quantized = output,
            },
            overlapsPrevious: false);

        float[] rows = [.. ids.SelectMany(id => table[(id * width)..((id + 1) * width)])];
        AssertQuantized(
            [.. rows.Select((value, index) => value * gain[index % width])], QuantizedInput.Download(bench.Stream, output, width, tokenCount));
        float[] sums = bench.Download<float>(squares, width / 64 * stride);
        Assert.Equal(rows[..64].Sum(value => (double)value * value), sums[0], 1e-3);
    }

    private static KernelPlan Plan(string model, string architecture) => KernelPlanner.Create(
        DenseGraphs.Create(ShapeOf(model), DenseGraphs.Recipes["fp8"]),
        DeviceProfile.Typical(GpuArchitecture.Parse(architecture)));

    private static KernelPlan AdaPlan(string model) => Plan(model, "sm_89");

    private static string NameOf((int Tokens, int Outputs, int Split, int Stages) tile) =>
        $"{tile.Tokens}x{tile.Outputs}, split {tile.Split}, {tile.Stages} stages";

    private static LinearTile Variant(Float8Tiles tiles, string name)
    {
        var tile = s_tiles.Single(one => NameOf(one) == name);
        return tiles.Tile(tile.Tokens, tile.Outputs, tile.Split, tile.Stages);
    }

    private static Cuda.CudaDevice Require()
    {
        Cuda.CudaDevice device = Gpu.Require();
        Assert.SkipUnless(device.Profile.Architecture.HasWarpgroupProducts, $"{device.Name} has no warpgroup products.");
        return device;
    }

    // Every value within half a step of its code, the factor that of the largest. Slack: relative error of what was quantised, of the
    // block's largest value; it may also bring a value to the neighbouring code.
    internal static void AssertQuantized(float[] values, QuantizedInput actual, float slack = 1e-6f)
    {
        QuantizedInput expected = QuantizedInput.Quantize(values, actual.Width);
        float[] decoded = actual.Decode();
        for (int i = 0; i < values.Length; i++)
        {
            float factor = expected.Factors[i / QuantizedInput.BlockWidth], largest = factor * Fp8Codec.MaxValue;
            if (!(Math.Abs(factor - actual.Factors[i / QuantizedInput.BlockWidth]) <= slack * factor))
                Assert.Fail($"factor of value {i}: {actual.Factors[i / QuantizedInput.BlockWidth]}, expected {factor}");
            // Steps are 1/8 of the power of two below, 2^-9 for the smallest; half of one, and the slack.
            float bound = Math.Max(Math.Abs(values[i]) / 16, factor / 1024) * 1.001f + (slack * largest);
            if (!(Math.Abs(values[i] - decoded[i]) <= bound))
                Assert.Fail($"value {i}: {decoded[i]}, expected {values[i]}, bound {bound}");
        }
    }

    private static ModelShape ShapeOf(string model) => (model == "tales" ? DenseGraphs.Tales : DenseGraphs.Base) with { LayerCount = 1 };

    private static FirstLayer Layer(ModelShape shape) => FirstLayer.Of(DenseGraphs.Create(shape, DenseGraphs.Recipes["fp8"]));

    private static Float8Tiles Tiles(ModelShape shape, string name, LinearWeight weight, string epilogue) => new(new LinearUse(
        name, weight, epilogue,
        epilogue != "kQkv" ? []
        :
        [
            KernelConstant.Of("kHeads", shape.QueryHeads), KernelConstant.Of("kKeyValueHeads", shape.KeyValueHeads),
            KernelConstant.Of("kHeadSize", shape.HeadDim), KernelConstant.Of("kTokensPerPage", KernelPlan.TokensPerPage),
        ],
        Normalizes: epilogue != "kResidual", (float)shape.RmsNormEpsilon));

    // All at once, on all cores: one by one they would take most of the tests' time.
    private static IReadOnlyDictionary<KernelSpec, CompiledKernel> Compile()
    {
        IEnumerable<KernelSpec> tiles =
            from shape in (ModelShape[])[ShapeOf("tales"), ShapeOf("0.3b")]
            let layer = Layer(shape)
            from linear in ((string, LinearWeight, string)[])
                [("qkv", layer.QueryKeyValue, "kQkv"), ("gate_up", layer.GateUp, "kSwiglu"), ("down", layer.Down, "kResidual")]
            from tile in s_tiles
            where linear.Item3 != "kSwiglu" || tile.Outputs == 256
            select Tiles(shape, linear.Item1, linear.Item2, linear.Item3).Tile(tile.Tokens, tile.Outputs, tile.Split, tile.Stages).Kernel;
        IEnumerable<KernelSpec> ada = ((string[])["tales", "0.3b"]).Select(AdaPlan).SelectMany(plan => (KernelSpec[])[plan.Linear("down").TileFor(4096).Kernel, plan.Linear("gate_up").TileFor(4096).Kernel]);
        int[] widths = [256, 512, 2048];
        return new KernelCompiler(CubinCache.Default(), NvrtcForTests.Require()).Compile(
            [.. tiles, .. ada, .. widths.Select(width => Float8Tiles.Quantize("rows", width))], Gpu.Require().Profile.Architecture);
    }

    private static CudaKernel Load(KernelSpec specification, Cuda.CudaDevice device)
    {
        device.MakeCurrent();
        return CudaKernel.Load(specification, s_compiled.Value[specification].Cubin.Span);
    }

    // A matrix, quantised inputs and a kernel.
    private sealed class Problem : IDisposable
    {
        private readonly CudaKernel _kernel;
        private readonly LinearTile _tile;
        private readonly QuantizedRows _input;
        private readonly ulong _weight, _scales, _tokenCount;
        private readonly float[] _squares;

        public Problem(
            string model, Func<FirstLayer, LinearWeight> weightOf, string name, string epilogue,
            string tile, int tokenCount)
            : this(
                model, weightOf, Variant(Tiles(ShapeOf(model), name, weightOf(Layer(ShapeOf(model))), epilogue), tile),
                epilogue == "kSwiglu", tokenCount)
        {
        }

        public Problem(string model, Func<FirstLayer, LinearWeight> weightOf, LinearTile tile, bool interleaves, int tokenCount)
        {
            Cuda.CudaDevice device = Gpu.Require();
            Assert.SkipUnless(device.Profile.Architecture.HasFloat8Products, $"{device.Name} has no e4m3 products.");
            Assert.SkipUnless(
                tile.Form == LinearForm.Float8 || device.Profile.Architecture.HasWarpgroupProducts, $"{device.Name} has no warpgroup products.");
            _tile = tile;
            Shape = ShapeOf(model);
            Matrix = LinearKernelTests.Matrix(model, "fp8", weightOf(Layer(Shape)));
            Stream = new CudaStream();
            Arena = new DeviceArena();
            _kernel = Load(_tile.Kernel, device);
            Random = new Random(HashCode.Combine(tokenCount, Matrix.Rows));
            // Blocks of very different sizes, so that a factor taken from a wrong place shows.
            float[] values = LinearKernelTests.Values(Random, tokenCount * Matrix.Columns);
            for (int i = 0; i < values.Length; i++)
                values[i] *= 1 + (i / QuantizedInput.BlockWidth % 7);
            Input = QuantizedInput.Quantize(values, Matrix.Columns);
            _input = Input.Upload(Arena, Stream, moreRows: 8);
            (_weight, _scales) = DeviceWeights.Upload(Matrix, interleaves, Arena, Stream);
            _tokenCount = Upload<int>([tokenCount]);
            _squares = [.. LinearKernelTests.Values(Random, Matrix.Columns / 64 * Input.Stride).Select(value => 64 * Math.Abs(value))];
        }

        public ModelShape Shape { get; }

        public WeightMatrix Matrix { get; }

        public QuantizedInput Input { get; }

        public Random Random { get; }

        public CudaStream Stream { get; }

        public DeviceArena Arena { get; }

        public ulong Upload<T>(T[] values)
            where T : unmanaged => LinearKernelTests.Upload(Arena, Stream, values);

        public ulong UploadSquares() => Upload(_squares);

        public double Factor(int token) => 1 / Math.Sqrt(
            (Enumerable.Range(0, Matrix.Columns / 64).Sum(part => (double)_squares[(part * Input.Stride) + token]) / Matrix.Columns) + Shape.RmsNormEpsilon);

        public T[] Download<T>(ulong address, int count)
            where T : unmanaged
        {
            T[] values = new T[count];
            Stream.Download<T>(values, address);
            return values;
        }

        /// <summary>Runs the kernel with what all uses share filled in; with few blocks, so that one takes several tiles.</summary>
        public void Launch(LinearFloat8Arguments arguments)
        {
            int tiles = Matrix.Rows / _tile.Outputs * _tile.TokenTiles(Input.TokenCount);
            arguments.Weight = TensorMap.OfBytes(_weight, Matrix.Rows, Matrix.Columns, LinearTile.Float8BoxOutputs);
            arguments.Input = TensorMap.OfBytes(_input.Codes, Input.TokenCount + 8, Matrix.Columns, _tile.Tokens);
            arguments.Scales = _scales;
            arguments.InputFactors = _input.Factors;
            arguments.TokenCount = _tokenCount;
            arguments.TokenTiles = _tile.TokenTiles(Input.TokenCount);
            _kernel.Launch(
                Stream.Handle, _tile.Kernel.ClusterSize * (_tile.TakesTilesInTurn ? Math.Clamp(tiles - 1, 1, 20) : tiles), 1, 1, arguments, overlapsPrevious: false);
        }

        /// <summary>The same of linear_tile_float8.</summary>
        public void LaunchTile(EpilogueArguments epilogue) => _kernel.Launch(
            Stream.Handle, Matrix.Rows / _tile.Outputs, _tile.TokenTiles(Input.TokenCount), 1,
            new LinearTileFloat8Arguments { Weight = _weight, Scales = _scales, Input = _input, TokenCount = _tokenCount, Epilogue = epilogue },
            overlapsPrevious: false);

        /// <summary>Gate times the logistic function of it times up, of sums that are multiplied by a factor of the token.</summary>
        public double[] Gated(Func<int, double> factor)
        {
            double[] products = Products();
            int width = Matrix.Rows / 2;
            double[] gated = new double[Input.TokenCount * width];
            for (int index = 0; index < gated.Length; index++)
            {
                int token = index / width, first = (token * 2 * width) + (index % width);
                double gate = factor(token) * products[first], up = factor(token) * products[first + width];
                gated[index] = gate / (1 + Math.Exp(-gate)) * up;
            }

            return gated;
        }

        /// <summary>[tokens, outputs] in the order of the matrix, sums in double.</summary>
        public double[] Products()
        {
            double[] input = [.. Input.Decode().Select(value => (double)value)];
            int inputs = Matrix.Columns, outputs = Matrix.Rows;
            double[] products = new double[Input.TokenCount * outputs];
            Parallel.For(0, outputs, n =>
            {
                float[] decoded = new float[inputs];
                Matrix.DequantizeRow(n, decoded);
                double[] row = [.. decoded.Select(value => (double)value)];
                for (int token = 0; token < Input.TokenCount; token++)
                {
                    Vector<double> sum = Vector<double>.Zero; // Inputs are a multiple of any vector's length.
                    for (int k = 0; k < inputs; k += Vector<double>.Count)
                        sum += new Vector<double>(row, k) * new Vector<double>(input, (token * inputs) + k);
                    products[(token * outputs) + n] = Vector.Sum(sum);
                }
            });
            return products;
        }

        public void Dispose()
        {
            _kernel.Dispose();
            Stream.Dispose();
            Arena.Dispose();
        }
    }
}
