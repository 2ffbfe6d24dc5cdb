using Ernie.Cpu.Linear;
using Ernie.Cpu.MachineCode;
using Ernie.Cpu.Memory;

namespace Ernie.Cpu.Tests;

/// <summary>Every kernel gives the bits of the scalar one, for every shape.</summary>
public sealed unsafe class TileKernelTests
{
    private const int OutputStride = 16 * 8;

    public static TheoryData<int, bool, int, int> Shapes()
    {
        var data = new TheoryData<int, bool, int, int>();
        foreach (int bits in new[] { 4, 8 })
            foreach (bool perBlock in new[] { false, true })
                foreach (int blockLength in new[] { 32, 64, 128 })
                    foreach (int blocks in new[] { 1, 3 })
                        data.Add(bits, perBlock, blockLength, blocks);
        return data;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void MachineCode_EveryTile_EqualsScalar(int bits, bool perBlock, int blockLength, int blocks)
    {
        Assert.SkipUnless(CpuFeatures.Detect().Avx512Vnni, "This processor or system has no AVX-512 VNNI with executable memory.");
        CompareAllTiles(MachineCodeTileKernel.Instance!, bits, perBlock, blockLength, blocks);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Avx2_EveryTile_EqualsScalar(int bits, bool perBlock, int blockLength, int blocks)
    {
        Assert.SkipUnless(CpuFeatures.Detect().Avx2, "This processor has no AVX2.");
        CompareAllTiles(new Avx2TileKernel(), bits, perBlock, blockLength, blocks);
    }

    // One test for all shapes: few processors have it, and each skipped case would be reported.
    [Fact]
    public void AvxVnni_EveryTile_EqualsScalar()
    {
        Assert.SkipUnless(CpuFeatures.Detect().AvxVnni, "This processor has no AVX-VNNI.");
        foreach (TheoryDataRow<int, bool, int, int> shape in Shapes())
            CompareAllTiles(new AvxVnniTileKernel(), shape.Data.Item1, shape.Data.Item2, shape.Data.Item3, shape.Data.Item4);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Portable_EveryTile_EqualsScalar(int bits, bool perBlock, int blockLength, int blocks) =>
        CompareAllTiles(new PortableTileKernel(), bits, perBlock, blockLength, blocks);

    [Fact]
    public void Scalar_ExtremeBytes_SumsWithoutSaturation()
    {
        // 255 × 127 × 4 per quad, over 128 k: what 16-bit saturation would spoil.
        using var run = new KernelRun(new TileShape(1, 1, 8, false), 128, 1, 1, seed: 0);
        new Span<byte>(run.Weights.Pointer, 16 * 128).Fill(255);
        new Span<sbyte>(run.Activations.Pointer, 128).Fill(127);
        run.Blocks.Pointer[0] = -128 * 127 * 128;
        ((float*)run.Blocks.Pointer)[1] = 1;
        new Span<float>(run.ChannelScales.Pointer, 16).Fill(1);
        TileKernel[] kernels = CpuFeatures.Detect() switch
        {
            { Avx512Vnni: true } => [new ScalarTileKernel(), new PortableTileKernel(), new Avx2TileKernel(), MachineCodeTileKernel.Instance!],
            { Avx2: true } => [new ScalarTileKernel(), new PortableTileKernel(), new Avx2TileKernel()],
            _ => [new ScalarTileKernel(), new PortableTileKernel()],
        };

        foreach (TileKernel kernel in kernels)
            Assert.Equal(127f * 127 * 128, run.Execute(kernel)[0]);
    }

    private static void CompareAllTiles(TileKernel kernel, int bits, bool perBlock, int blockLength, int blocks)
    {
        for (int tokens = 1; tokens <= TilePlan.MaxTokens; tokens++)
        {
            for (int panels = 1; panels <= TilePlan.PanelsFor(tokens); panels++)
            {
                var shape = new TileShape(tokens, panels, bits, perBlock);
                using var run = new KernelRun(shape, blockLength, blocks, groups: 3, seed: (tokens * 31) + bits);
                float[] expected = run.Execute(new ScalarTileKernel());

                float[] actual = run.Execute(kernel);

                Assert.True(expected.AsSpan().SequenceEqual(actual), $"{kernel.Name}, {shape}, {blocks} blocks of {blockLength}, seed {(tokens * 31) + bits}.");
                Assert.Contains(expected, value => value != 0);
            }
        }
    }

    private sealed class KernelRun : IDisposable
    {
        private readonly TileShape _shape;
        private readonly int _blockLength;
        private readonly int _blocks;
        private readonly int _groups;

        internal KernelRun(TileShape shape, int blockLength, int blocks, int groups, int seed)
        {
            _shape = shape;
            _blockLength = blockLength;
            _blocks = blocks;
            _groups = groups;
            int panels = groups * shape.Panels;
            int columns = blockLength * blocks;
            var random = new Random(seed);
            Weights = new NativeBuffer<byte>((long)panels * 16 * columns * shape.Bits / 8);
            random.NextBytes(new Span<byte>(Weights.Pointer, (int)Weights.Length));
            Activations = new NativeBuffer<sbyte>((long)shape.Tokens * columns);
            for (int i = 0; i < Activations.Length; i++)
                Activations.Pointer[i] = (sbyte)random.Next(-127, 128);
            Blocks = new NativeBuffer<int>(2L * shape.Tokens * blocks);
            BlockScales = new NativeBuffer<Half>((long)panels * 16 * blocks);
            ChannelScales = new NativeBuffer<float>((long)panels * 16);
            for (int block = 0; block < blocks; block++)
            {
                for (int token = 0; token < shape.Tokens; token++)
                {
                    Blocks.Pointer[(block * 2 * shape.Tokens) + token] = random.Next(-100000, 100000);
                    ((float*)Blocks.Pointer)[(block * 2 * shape.Tokens) + shape.Tokens + token] = random.NextSingle();
                }
            }

            for (int i = 0; i < BlockScales.Length; i++)
                BlockScales.Pointer[i] = (Half)(random.NextSingle() - 0.5f);
            for (int i = 0; i < ChannelScales.Length; i++)
                ChannelScales.Pointer[i] = random.NextSingle();
        }

        internal NativeBuffer<byte> Weights { get; }

        internal NativeBuffer<sbyte> Activations { get; }

        internal NativeBuffer<int> Blocks { get; }

        internal NativeBuffer<Half> BlockScales { get; }

        internal NativeBuffer<float> ChannelScales { get; }

        internal float[] Execute(TileKernel kernel)
        {
            using var output = new NativeBuffer<float>((long)_shape.Tokens * OutputStride);
            var arguments = new TileArguments
            {
                Weights = Weights.Pointer,
                Scales = _shape.ScalePerBlock ? BlockScales.Pointer : ChannelScales.Pointer,
                Activations = Activations.Pointer,
                Blocks = Blocks.Pointer,
                Output = output.Pointer,
                OutputStride = OutputStride * sizeof(float),
                WeightStride = 16L * _blockLength * _blocks * _shape.Bits / 8,
                ScaleStride = _shape.ScalePerBlock ? _blocks * 32 : 64,
                BlockCount = _blocks,
                StepsPerBlock = _blockLength / 16,
                PanelGroups = _groups,
            };
            kernel.Run(&arguments, _shape);
            return output.Span(0, (int)output.Length).ToArray();
        }

        public void Dispose()
        {
            Weights.Dispose();
            Activations.Dispose();
            Blocks.Dispose();
            BlockScales.Dispose();
            ChannelScales.Dispose();
        }
    }
}
