using System.Globalization;

namespace Ernie.Kernels;

/// <summary>Sizes linear_float8 for a linear, by the tokens of a step.</summary>
/// <param name="use">The linear; its weight is e4m3 in blocks.</param>
internal sealed class Float8Tiles(LinearUse use)
{
    private const int ThreadsPerGroup = 128, TokensPerGroup = 64;

    // A stage holds 128 inputs of every row, a byte each, a factor per token and a copy of the scales per 128 outputs.
    private const int RowBytes = 128, FactorBytes = sizeof(float), ScaleBytes = 16;

    // Sums that a thread gives to the other block of its cluster, per 128 outputs.
    private const int ExchangeBytesPerThread = 128;

    // With two warpgroups that hold 256 outputs of 64 tokens in f32: 2 x 240 + 24 is what a launch with 168 registers a thread has.
    private const int WideConsumerRegisters = 240, WideProducerRegisters = 24;

    /// <summary>The kernels that a plan uses, for more tokens than those that others are faster for.</summary>
    /// <param name="device">The device.</param>
    public IReadOnlyList<LinearTile> Create(DeviceProfile device) =>
    [
        .. ((int[])[512, 1024, 2048]).Select(tokens => Best(device, tokens) with { MostTokens = tokens }),
        Best(device, 4096),
    ];

    // The largest tile of which there are enough for three fifths of the multiprocessors: what MatrixBenchmarks found at 512, 1,024 and
    // 4,096 tokens. Activations share a factor with 128 others, which takes 256 outputs.
    private LinearTile Best(DeviceProfile device, int tokens)
    {
        (int Tokens, int Outputs, int Split, int Stages)[] sizes = use.Epilogue == "kSwiglu"
            ? [(128, 256, 1, 4), (64, 256, 1, 5)]
            : [(128, 256, 1, 4), (128, 128, 1, 6), (128, 128, 2, 5), (64, 128, 2, 3)];
        LinearTile[] tiles =
        [
            .. sizes.Where(size => use.Weight.OutFeatures % size.Outputs == 0 && use.Weight.InFeatures % (128 * size.Split) == 0)
                .Select(size => Tile(size.Tokens, size.Outputs, size.Split, size.Stages)),
        ];
        return tiles.FirstOrDefault(tile => 5 * use.Weight.OutFeatures / tile.Outputs * tile.TokenTiles(tokens) * tile.Split >= 3 * device.Multiprocessors, tiles[^1]);
    }

    /// <summary>One variant.</summary>
    /// <param name="tokens">Tokens of a tile, 64 or 128.</param>
    /// <param name="outputs">Outputs of a tile, 128 or 256.</param>
    /// <param name="split">Blocks that share the inputs, 1 or 2.</param>
    /// <param name="stages">Stages of the ring.</param>
    public LinearTile Tile(int tokens, int outputs, int split, int stages)
    {
        int groups = tokens / TokensPerGroup;
        bool isWide = groups == 2 && outputs == 256;
        int sharedMemory = 1024 + (stages * (((tokens + outputs) * RowBytes) + (tokens * FactorBytes) + (outputs / 128 * ScaleBytes)))
            + (split == 2 ? outputs / 128 * ThreadsPerGroup * groups * ExchangeBytesPerThread : 0);
        KernelSpec kernel = new()
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"ernie_{use.Name}_float8_{outputs}x{tokens}x{split}x{stages}"),
            Header = "ernie/linear/linear_float8.cuh",
            Function = "linear_float8",
            Arguments = "LinearFloat8Args",
            Threads = ThreadsPerGroup * (groups + 1),
            ClusterSize = split,
            Constants =
            [
                .. use.ShapeConstants,
                KernelConstant.Of("kTileTokens", tokens), KernelConstant.Of("kTileOutputs", outputs), KernelConstant.Of("kSplit", split),
                KernelConstant.Of("kStages", stages),
                KernelConstant.Of("kConsumerRegisters", isWide ? WideConsumerRegisters : 0),
                KernelConstant.Of("kProducerRegisters", isWide ? WideProducerRegisters : 0),
                .. use.NormConstants,
            ],
            SharedMemoryBytes = sharedMemory,
        };
        return new LinearTile(kernel, tokens, outputs) { Split = split, Form = LinearForm.WarpgroupFloat8 };
    }

    /// <summary>Makes quantised rows of bf16 ones.</summary>
    /// <param name="name">Short name.</param>
    /// <param name="width">Values of a row.</param>
    public static KernelSpec Quantize(string name, int width) => new()
    {
        Name = "ernie_quantize_" + name,
        Header = "ernie/linear/quantize_rows.cuh",
        Function = "quantize_rows",
        Arguments = "QuantizeRowsArgs",
        Threads = 256,
        Constants = [KernelConstant.Of("kWidth", width)],
    };
}
