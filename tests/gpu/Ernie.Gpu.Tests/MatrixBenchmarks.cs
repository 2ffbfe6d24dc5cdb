using System.Globalization;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Execution;
using Ernie.Cuda.Interop;
using Ernie.Cuda.Memory;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Testing.Gpu;
using static Ernie.Gpu.Tests.BenchmarkReport;

namespace Ernie.Gpu.Tests;

/// <summary>
/// Each matrix of the 0.3B shape alone, every size of tile: <c>dotnet Ernie.Gpu.Tests.dll -explicit only -class Ernie.Gpu.Tests.MatrixBenchmarks</c>.
/// A graph of launches that rotate through more weights than L2 holds, dependent launch on; the median of replays between events.
/// Lines begin with "bench"; ERNIE_BENCH_FILE also gets them. ERNIE_BENCH_TOKENS, numbers between commas, leaves out the other counts.
/// </summary>
public sealed class MatrixBenchmarks
{
    private const int Replays = 9, MostTokens = 4096, Positions = 4096;
    private const long WeightBytes = 216L << 20;

    private static readonly string s_tokens = Environment.GetEnvironmentVariable("ERNIE_BENCH_TOKENS") ?? "";

    [Theory(Explicit = true)]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(256)]
    public void Small_EachMatrixOfALayer_IsMeasured(int tokens) => Alone(tokens, name => name != "head");

    [Theory(Explicit = true)]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(256)]
    public void Head_EveryTile_IsMeasured(int tokens) => Alone(tokens, name => name == "head");

    [Fact(Explicit = true)]
    public void Prefill_EachMatrixOfALayer_IsMeasured() => Alone(4096, name => name != "head");

    /// <summary>The four matrices in a chain, as a layer has them: what one leaves free the next uses. Changes one at a time while that helps.</summary>
    [Theory(Explicit = true)]
    [InlineData(4096)]
    [InlineData(1024)]
    [InlineData(512)]
    [InlineData(256)]
    [InlineData(128)]
    [InlineData(64)]
    [InlineData(32)]
    [InlineData(16)]
    public void Layer_OfTheBestTiles_IsFound(int tokens)
    {
        Cuda.CudaDevice device = Require(tokens);
        KernelPlan plan = KernelPlanner.Create(DenseGraphs.Create(DenseGraphs.Base, DenseGraphs.Recipes["bf16"]), device.Profile);
        (LinearKernels Linear, LinearTile[] Tiles)[] matrices =
        [
            .. Matrices(plan)[..4].Select(matrix => (matrix.Linear, Variants(matrix, device.Profile, tokens).ToArray())),
        ];
        KernelCompiler compiler = new(CubinCache.Default(), NvrtcForTests.Require());
        var cubins = compiler.Compile(matrices.SelectMany(matrix => matrix.Tiles.Select(tile => tile.Kernel)), device.Profile.Architecture);
        Dictionary<KernelSpec, CudaKernel> kernels = cubins.ToDictionary(cubin => cubin.Key, cubin => CudaKernel.Load(cubin.Key, cubin.Value.Cubin.Span));
        using CudaStream stream = new();
        using DeviceArena arena = new();
        Buffers buffers = new(plan, arena, stream, device.Profile.Multiprocessors);
        LinearTile[] best = [.. matrices.Select(matrix => matrix.Linear.TileFor(tokens))];
        double Time(LinearTile[] tiles) => Measure(
            [.. tiles.Select((tile, index) => (kernels[tile.Kernel], matrices[index].Linear.Weight, tile))], tokens, buffers, stream);
        string Names(LinearTile[] tiles) => string.Join(" ", tiles.Select(tile => tile.Kernel.Name["ernie_".Length..]));

        double bestTime = Time(best);
        Report($"{tokens} tokens, layer as planned: {bestTime:F2} us, {Names(best)}");
        for (int round = 0; round < 2; round++)
        {
            for (int matrix = 0; matrix < best.Length; matrix++)
            {
                (double Time, LinearTile Tile)[] tried =
                [
                    .. matrices[matrix].Tiles.Select(tile => (Time([.. best[..matrix], tile, .. best[(matrix + 1)..]]), tile)).OrderBy(result => result.Item1),
                ];
                best[matrix] = tried[0].Tile;
                bestTime = tried[0].Time;
                if (round == 1)
                    Report($"{tokens} tokens, layer with {string.Join(", ", tried.Take(6).Select(result => string.Create(CultureInfo.InvariantCulture, $"{result.Tile.Kernel.Name["ernie_".Length..]} {result.Time:F2}")))}");
            }
        }

        Report($"{tokens} tokens, layer at best: {bestTime:F2} us, {Names(best)}");
        foreach (CudaKernel kernel in kernels.Values)
            kernel.Dispose();
    }

    /// <summary>e4m3 by e4m3: each matrix alone with every tile, then the layer of the fastest, with the kernel that quantises attention's output.</summary>
    [Theory(Explicit = true)]
    [InlineData(4096)]
    [InlineData(1024)]
    [InlineData(512)]
    [InlineData(256)]
    [InlineData(128)]
    [InlineData(64)]
    public void Float8_EachMatrixAndTheLayer_AreMeasured(int tokens)
    {
        Cuda.CudaDevice device = Require(tokens);
        KernelPlan plan = KernelPlanner.Create(DenseGraphs.Create(DenseGraphs.Base, DenseGraphs.Recipes["bf16"]), device.Profile);
        var matrices = Matrices(plan)[..4];
        KernelSpec quantize = Float8Tiles.Quantize("attention", plan.Linear("o").Weight.InFeatures);
        (LinearKernels Linear, LinearTile[] Tiles)[] variants =
            [.. matrices.Select(matrix => (matrix.Linear, Float8Variants(matrix, tokens).Append(matrix.Linear.TileFor(tokens)).ToArray()))];
        KernelCompiler compiler = new(CubinCache.Default(), NvrtcForTests.Require());
        var cubins = compiler.Compile(variants.SelectMany(variant => variant.Tiles.Select(tile => tile.Kernel)).Append(quantize), device.Profile.Architecture);
        Dictionary<KernelSpec, CudaKernel> kernels = cubins.ToDictionary(cubin => cubin.Key, cubin => CudaKernel.Load(cubin.Key, cubin.Value.Cubin.Span));
        using CudaStream stream = new();
        using DeviceArena arena = new();
        Buffers buffers = new(plan, arena, stream, device.Profile.Multiprocessors);
        List<LinearTile> best = [];
        foreach ((LinearKernels linear, LinearTile[] tiles) in variants)
        {
            (double Time, LinearTile Tile)[] results =
                [.. tiles.Select(tile => (Measure([(kernels[tile.Kernel], linear.Weight, tile)], tokens, buffers, stream), tile)).OrderBy(result => result.Item1)];
            best.Add(results.First(result => result.Tile.Form == LinearForm.WarpgroupFloat8).Tile);
            foreach ((double time, LinearTile tile) in results)
                Report($"{tokens} tokens {tile.Kernel.Name}: {time:F2} us, {2.0 * tokens * linear.Weight.OutFeatures * linear.Weight.InFeatures / time / 1e6:F0} TFLOP/s");
        }

        (CudaKernel, LinearWeight, LinearTile?) Of(int index, LinearTile tile) => (kernels[tile.Kernel], variants[index].Linear.Weight, tile);
        double layer = Measure(
            [Of(0, best[0]), (kernels[quantize], plan.Linear("o").Weight, null), Of(1, best[1]), Of(2, best[2]), Of(3, best[3])], tokens, buffers, stream);
        double without = Measure([Of(0, best[0]), Of(1, best[1]), Of(2, best[2]), Of(3, best[3])], tokens, buffers, stream);
        double bf16 = Measure([.. variants.Select((variant, index) => Of(index, variant.Linear.TileFor(tokens)))], tokens, buffers, stream);
        Report($"{tokens} tokens, layer in bf16 {bf16:F2} us, in e4m3 {layer:F2} us, of which quantising {layer - without:F2} us: {string.Join(" ", best.Select(tile => tile.Kernel.Name["ernie_".Length..]))}");
        foreach (CudaKernel kernel in kernels.Values)
            kernel.Dispose();
    }

    private static LinearUse UseOf((LinearKernels Linear, string Name, string Epilogue) matrix, int tokens) => new(
        matrix.Name, matrix.Linear.Weight, matrix.Epilogue, EpilogueConstants(matrix.Linear.TileFor(tokens)), matrix.Epilogue is "kQkv" or "kSwiglu", 1e-5f);

    private static IEnumerable<LinearTile> Float8Variants((LinearKernels Linear, string Name, string Epilogue) matrix, int tokens)
    {
        LinearWeight weight = matrix.Linear.Weight;
        Float8Tiles tiles = new(UseOf(matrix, tokens));
        return from size in ((int Tokens, int Outputs, int Split, int Stages)[])
                   [(128, 256, 1, 4), (128, 128, 1, 6), (128, 128, 2, 5), (64, 256, 1, 5), (64, 128, 1, 4), (64, 128, 2, 3)]
               where matrix.Name != "gate_up" || size.Outputs == 256
               where size.Split == 1 || (weight.OutFeatures / size.Outputs * ((tokens + size.Tokens - 1) / size.Tokens)) <= 160
               select tiles.Tile(size.Tokens, size.Outputs, size.Split, size.Stages);
    }

    private static Cuda.CudaDevice Require(int tokens)
    {
        Assert.SkipUnless(s_tokens.Length == 0 || s_tokens.Split(',').Contains(tokens.ToString(CultureInfo.InvariantCulture)), "Not among ERNIE_BENCH_TOKENS.");
        Cuda.CudaDevice device = Gpu.Require();
        Assert.SkipUnless(device.Profile.Architecture.HasWarpgroupProducts, $"{device.Name} has no warpgroup products.");
        return device;
    }

    private static void Alone(int tokens, Func<string, bool> isWanted)
    {
        Cuda.CudaDevice device = Require(tokens);
        KernelPlan plan = KernelPlanner.Create(DenseGraphs.Create(DenseGraphs.Base, DenseGraphs.Recipes["bf16"]), device.Profile);
        (LinearKernels Linear, LinearTile Tile)[] variants =
        [
            .. Matrices(plan).Where(matrix => isWanted(matrix.Name))
                .SelectMany(matrix => Variants(matrix, device.Profile, tokens).Select(tile => (matrix.Linear, tile))),
        ];
        KernelCompiler compiler = new(CubinCache.Default(), NvrtcForTests.Require());
        var cubins = compiler.Compile(variants.Select(variant => variant.Tile.Kernel), device.Profile.Architecture);
        using CudaStream stream = new();
        using DeviceArena arena = new();
        Buffers buffers = new(plan, arena, stream, device.Profile.Multiprocessors);
        foreach (var matrix in variants.GroupBy(variant => variant.Linear.Decode.Name))
        {
            List<(double Microseconds, FormattableString Text)> results = [];
            foreach ((LinearKernels linear, LinearTile tile) in matrix)
            {
                using CudaKernel kernel = CudaKernel.Load(tile.Kernel, cubins[tile.Kernel].Cubin.Span);
                double time = Measure([(kernel, linear.Weight, tile)], tokens, buffers, stream);
                string planned = linear.TileFor(tokens).Kernel.Name == tile.Kernel.Name ? " (planned)" : "";
                double flops = 2.0 * tokens * linear.Weight.OutFeatures * linear.Weight.InFeatures;
                results.Add((time, $"{tokens} tokens {tile.Kernel.Name}: {time:F2} us, {flops / time / 1e6:F0} TFLOP/s, {KernelPlanPrinter.WeightBytes(linear.Weight) / time / 1e6:F2} TB/s of weights, {kernel.BlocksPerMultiprocessor()} blocks an SM{planned}"));
            }

            foreach ((_, FormattableString text) in results.OrderBy(result => result.Microseconds))
                Report(text);
        }
    }

    private static (LinearKernels Linear, string Name, string Epilogue)[] Matrices(KernelPlan plan) =>
    [
        (plan.Linear("qkv"), "qkv", "kQkv"), (plan.Linear("o"), "o", "kResidual"), (plan.Linear("gate_up"), "gate_up", "kSwiglu"),
        (plan.Linear("down"), "down", "kResidual"), (plan.Head, "head", "kLogits"),
    ];

    private static IEnumerable<LinearTile> Variants((LinearKernels Linear, string Name, string Epilogue) matrix, DeviceProfile device, int tokens)
    {
        LinearTile planned = matrix.Linear.TileFor(tokens);
        LinearWeight weight = matrix.Linear.Weight;
        bool isHead = matrix.Name == "head";
        WarpgroupTiles tiles = new(device, UseOf(matrix, tokens));
        int Blocks(int width, int outputs, int split) => weight.OutFeatures / outputs * split * ((tokens + width - 1) / width);
        var sizes = tokens is > 256 and <= 1024
            ? from width in (int[])[128, 256]
              from outputs in (int[])[64, 128]
              from split in (int[])[1, 2]
              from stages in (int[])[3, 4]
              where Blocks(width, outputs, split) is >= 40 and <= 800
              select (width, outputs, split, stages)
            : tokens > 1024
            ? from width in (int[])[128, 256]
              from stages in (int[])[3, 4]
              select (width, outputs: 128, split: 1, stages)
            : from width in (int[])[Math.Min(tokens, 64), Math.Min(tokens, 128), Math.Min(tokens, 256)]
              from outputs in (int[])[64, 128]
              from split in isHead ? (int[])[1] : (int[])[1, 2, 4, 8]
              from stages in isHead ? (int[])[3, 4, 6] : (int[])[4, 8]
              where stages <= weight.InFeatures / 64 / split && (isHead ? outputs * width <= 128 * 256 && 2 * width >= tokens : outputs * width <= 128 * 128)
              where isHead || Blocks(width, outputs, split) is >= 40 and <= 200
              select (width, outputs, split, stages);
        return sizes.Distinct()
            .Select(size => tiles.Tile(size.width, size.outputs, size.split, size.stages, keepsWeights: tokens > size.width))
            .Where(tile => tile.Kernel.SharedMemoryBytes <= device.Architecture.SharedMemoryPerBlock)
            .Append(planned).DistinctBy(tile => tile.Kernel.Name);
    }

    private static KernelConstant[] EpilogueConstants(LinearTile tile)
    {
        string[] names = ["kHeads", "kKeyValueHeads", "kHeadSize", "kTokensPerPage"];
        return [.. tile.Kernel.Constants.Where(constant => names.Contains(constant.Name))];
    }

    // Time of one round through the matrices.
    private static double Measure((CudaKernel Kernel, LinearWeight Weight, LinearTile? Tile)[] matrices, int tokens, Buffers buffers, CudaStream stream)
    {
        long bytes = matrices.Sum(matrix => BytesOf(matrix.Weight));
        int rounds = bytes > 100 << 20 || tokens > 256 ? 6 : matrices.Length > 1 ? 14 : 40;
        ulong count = buffers.Count(tokens);
        Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuStreamBeginCapture(stream.Handle, Cuda.Interop.Cuda.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        for (int round = 0; round < rounds; round++)
        {
            ulong weights = buffers.Weights + (ulong)(round % (WeightBytes / bytes) * bytes);
            foreach ((CudaKernel kernel, LinearWeight weight, LinearTile? tile) in matrices)
            {
                if (tile is null)
                {
                    buffers.Quantize(kernel, weight.InFeatures, tokens, stream);
                    continue;
                }

                if (tile.Form == LinearForm.WarpgroupFloat8)
                {
                    buffers.LaunchFloat8(kernel, weight, tile, tokens, round % 6, round > 0, stream);
                    continue;
                }

                kernel.Launch(
                    stream.Handle, weight.OutFeatures / tile.Outputs * tile.Split, (tokens + tile.Tokens - 1) / tile.Tokens, 1,
                    new LinearWgmmaArguments
                    {
                        Weight = TensorMap.Of(weights, weight.OutFeatures, weight.InFeatures, boxRows: 64),
                        Input = TensorMap.Of(buffers.Input, MostTokens, weight.InFeatures, tile.Tokens), TokenCount = count, Epilogue = buffers.Epilogue,
                        Squares = buffers.Squares, Gain = buffers.Gain, Prepared = buffers.Prepared, NewSquares = buffers.NewSquares, SquareStride = MostTokens,
                    },
                    overlapsPrevious: round > 0);
                weights += (ulong)BytesOf(weight);
            }
        }

        Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuStreamEndCapture(stream.Handle, out SafeCudaGraph graph));
        Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuGraphInstantiate(out SafeCudaGraphExec exec, graph, 0));
        Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventCreate(out SafeCudaEvent begin, Cuda.Interop.Cuda.CU_EVENT_DEFAULT));
        Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventCreate(out SafeCudaEvent end, Cuda.Interop.Cuda.CU_EVENT_DEFAULT));
        double[] times = new double[Replays];
        using (graph)
        using (exec)
        using (begin)
        using (end)
        {
            for (int replay = -2; replay < Replays; replay++)
            {
                Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventRecord(begin.Value, stream.Handle));
                Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuGraphLaunch(exec.Value, stream.Handle));
                Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventRecord(end.Value, stream.Handle));
                stream.Synchronize();
                Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventElapsedTime(out float milliseconds, begin.Value, end.Value));
                if (replay >= 0)
                    times[replay] = milliseconds * 1000 / rounds;
            }
        }

        Array.Sort(times);
        return times[Replays / 2];
    }

    private static long BytesOf(LinearWeight weight) => (long)weight.OutFeatures * weight.InFeatures * sizeof(ushort);

    // Random values: a multiplier draws less power, and clocks higher, over zeros.
    private sealed class Buffers
    {
        private readonly Dictionary<int, ulong> _counts = [];
        private readonly DeviceArena _arena;
        private readonly CudaStream _stream;

        private readonly int _multiprocessors;
        private readonly long _codeBytes;
        private readonly ulong _codes, _factors, _weightCodes, _newCodes, _newFactors;

        public Buffers(KernelPlan plan, DeviceArena arena, CudaStream stream, int multiprocessors)
        {
            _arena = arena;
            _stream = stream;
            _multiprocessors = multiprocessors;
            ModelShape shape = plan.Shape;
            Random random = new(1);
            ushort[] values = new ushort[MostTokens * shape.IntermediateSize];
            for (int i = 0; i < values.Length; i++)
                values[i] = LinearKernelTests.ToBits((random.NextSingle() - 0.5f) / 16);
            Input = LinearKernelTests.Upload(arena, stream, values);
            Weights = arena.Take(WeightBytes);
            long step = values.Length * sizeof(ushort);
            for (long done = 0; done < WeightBytes; done += step)
                stream.Upload<ushort>(Weights + (ulong)done, values.AsSpan(0, (int)(Math.Min(step, WeightBytes - done) / sizeof(ushort))));
            Squares = LinearKernelTests.Upload<float>(arena, stream, [.. Enumerable.Repeat(64f, shape.HiddenSize / 64 * MostTokens)]);
            NewSquares = arena.Take(sizeof(float) * shape.HiddenSize / 64 * MostTokens);
            Gain = LinearKernelTests.Upload<ushort>(arena, stream, [.. LinearKernelTests.Values(random, shape.HiddenSize).Select(LinearKernelTests.ToBits)]);
            Prepared = arena.Take(sizeof(ushort) * shape.HiddenSize * MostTokens);
            byte[] codes = new byte[MostTokens * shape.IntermediateSize];
            random.NextBytes(codes);
            for (int i = 0; i < codes.Length; i++)
                codes[i] &= 0xFE; // no NaN
            _codeBytes = codes.Length;
            _codes = LinearKernelTests.Upload(arena, stream, codes);
            _weightCodes = arena.Take(6 * _codeBytes);
            for (int copy = 0; copy < 6; copy++)
                stream.Upload<byte>(_weightCodes + (ulong)(copy * _codeBytes), codes);
            _newCodes = arena.Take(_codeBytes);
            _newFactors = arena.Take(sizeof(float) * _codeBytes / 128);
            _factors = LinearKernelTests.Upload<float>(arena, stream, [.. Enumerable.Repeat(1f / 65536, shape.IntermediateSize / 128 * (MostTokens + (2 * shape.IntermediateSize)))]);
            int pages = Positions / KernelPlan.TokensPerPage;
            long cacheBytes = (long)Positions * shape.KeyValueWidth * sizeof(ushort);
            ulong output = arena.TakeCleared(sizeof(float) * Math.Max(256L * shape.VocabularySize, MostTokens * shape.HiddenSize), stream.Handle);
            Epilogue = new EpilogueArguments
            {
                Query = arena.Take((long)MostTokens * shape.QueryWidth * sizeof(ushort)), Keys = arena.Take(cacheBytes), Values = arena.Take(cacheBytes),
                Rotations = LinearKernelTests.Upload<float>(arena, stream, LinearKernelTests.Values(random, Positions * shape.HeadDim)),
                Places = LinearKernelTests.Upload<int>(arena, stream, [.. Enumerable.Range(0, MostTokens).SelectMany(token => (int[])[token, 0])]),
                PageTable = LinearKernelTests.Upload<int>(arena, stream, [.. Enumerable.Range(0, pages)]),
                PagesPerSlot = pages, OutputStride = shape.VocabularySize, Output = output,
                Activation = arena.Take((long)MostTokens * shape.IntermediateSize * sizeof(ushort)),
            };
        }

        public ulong Input { get; }

        public ulong Weights { get; }

        public ulong Squares { get; }

        public ulong NewSquares { get; }

        public ulong Gain { get; }

        public ulong Prepared { get; }

        public EpilogueArguments Epilogue { get; }

        /// <summary>Weights of one of six layers; factors and scales are all equal.</summary>
        public void LaunchFloat8(CudaKernel kernel, LinearWeight weight, LinearTile tile, int tokens, int layer, bool overlapsPrevious, CudaStream stream)
        {
            kernel.Launch(
                stream.Handle, tile.Blocks(weight, tokens, _multiprocessors), 1, 1,
                new LinearFloat8Arguments
                {
                    Weight = TensorMap.OfBytes(_weightCodes + (ulong)(layer * _codeBytes), weight.OutFeatures, weight.InFeatures, LinearTile.Float8BoxOutputs),
                    Input = TensorMap.OfBytes(_codes, MostTokens, weight.InFeatures, tile.Tokens), Scales = _factors, InputFactors = _factors,
                    TokenCount = Count(tokens), Squares = Squares, Gain = Gain, NewSquares = NewSquares, Quantized = Quantized, TokenTiles = tile.TokenTiles(tokens),
                    Epilogue = Epilogue,
                },
                overlapsPrevious);
        }

        public void Quantize(CudaKernel kernel, int width, int tokens, CudaStream stream) => kernel.Launch(
            stream.Handle, KernelPlan.QuantizeBlocks(tokens, width), 1, 1,
            new QuantizeRowsArguments { Input = Input, TokenCount = Count(tokens), Output = Quantized }, overlapsPrevious: true);

        private QuantizedRows Quantized => new() { Codes = _newCodes, Factors = _newFactors, Stride = MostTokens };

        public ulong Count(int tokens)
        {
            if (!_counts.TryGetValue(tokens, out ulong address))
                _counts.Add(tokens, address = LinearKernelTests.Upload<int>(_arena, _stream, [tokens]));
            return address;
        }
    }
}
