using System.Globalization;
using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Sizes linear_wgmma for a linear, by the tokens of a step.</summary>
/// <param name="device">The device.</param>
/// <param name="use">The linear.</param>
internal sealed class WarpgroupTiles(DeviceProfile device, LinearUse use)
{
    private const int WarpSize = 32, WarpsPerGroup = 4;

    // A stage holds 64 inputs of every row, 128 bytes.
    private const int Depth = 64, RowBytes = 128;

    // The portable limit of a cluster.
    private const int MostSplit = 8;

    // Two blocks beside each other: a kernel then fetches its weights while the one ahead of it still runs.
    private const int HalfOfSharedMemory = 112 * 1024;

    // One block and what it stages its sums in.
    private const int DeepRing = 200 * 1024;

    // Alignment of the ring, barriers, factors of norms.
    private const int SharedMemoryBeside = 4 * 1024;

    /// <summary>The kernels that a plan uses, for any number of tokens.</summary>
    public IReadOnlyList<LinearTile> Create() =>
    [
        .. ((int[])[16, 32, 64, 128, 256]).Select(tokens => Small(tokens) with { MostTokens = tokens }),
        .. ((int[])[512, 1024]).Select(tokens => Medium(tokens) with { MostTokens = tokens }),
        Tile(128, 128, 1, 3, keepsWeights: true),
    ];

    // About two thirds of the multiprocessors get a block with a deep ring: the next kernel's blocks find room on the others and
    // fetch their weights meanwhile. Few tiles: blocks share the inputs of one. Sizes are those that MatrixBenchmarks found best.
    private LinearTile Small(int tokens)
    {
        const int Outputs = 64;
        int multiprocessors = device.Multiprocessors;
        if (use.Weight.OutFeatures / Outputs > 2 * multiprocessors)
            return Tile(Math.Min(tokens, 128), Outputs, 1, Stages(HalfOfSharedMemory, Math.Min(tokens, 128), Outputs), keepsWeights: tokens > 128);

        bool isNarrow = 2 * use.Weight.OutFeatures / Outputs < multiprocessors / 2;
        int tokensOfTile = Math.Min(tokens, tokens > 128 && isNarrow ? 64 : 128);
        int blocks = use.Weight.OutFeatures / Outputs * (tokens / tokensOfTile);
        int most = tokens > 128 ? multiprocessors : multiprocessors * 3 / 4;
        int split = 1;
        while (split < MostSplit && 2 * split * blocks <= most && use.Weight.InFeatures % (2 * split * Depth) == 0)
            split *= 2;
        // More blocks than multiprocessors: two beside each other.
        int memory = blocks > multiprocessors ? HalfOfSharedMemory : DeepRing;
        return Tile(tokensOfTile, Outputs, split, Stages(memory, tokensOfTile, Outputs), keepsWeights: tokens > tokensOfTile);
    }

    private static int Stages(int memory, int tokens, int outputs) => Math.Clamp((memory - SharedMemoryBeside) / ((tokens + outputs) * RowBytes), 3, 8);

    // Large tiles where there are enough of them or two blocks can share the inputs of each, else half as large.
    private LinearTile Medium(int tokens)
    {
        const int Tokens = 128, Outputs = 128, LeastBlocksOfInputs = 8;
        int blocks = use.Weight.OutFeatures / Outputs * tokens / Tokens;
        if (2 * blocks <= device.Multiprocessors && use.Weight.InFeatures % (2 * Depth) == 0 && use.Weight.InFeatures / Depth >= LeastBlocksOfInputs)
            return Tile(Tokens, Outputs, 2, 4, keepsWeights: true);

        return blocks > device.Multiprocessors ? Tile(Tokens, Outputs, 1, 3, keepsWeights: true) : Tile(Tokens, Outputs / 2, 1, 4, keepsWeights: true);
    }

    /// <summary>One variant.</summary>
    /// <param name="tokens">Tokens of a tile.</param>
    /// <param name="outputs">Outputs of a tile, 64 or 128.</param>
    /// <param name="split">Blocks that share the inputs.</param>
    /// <param name="stages">Stages of the ring.</param>
    /// <param name="keepsWeights">Whether several tiles of tokens read the weights, which should then stay in L2.</param>
    public LinearTile Tile(int tokens, int outputs, int split, int stages, bool keepsWeights = false)
    {
        int stageBytes = (tokens + outputs) * RowBytes;
        int blocks = use.Weight.InFeatures / Depth / split;
        stages = Math.Min(stages, blocks);
        int sumBytes = tokens * (outputs + 4) * sizeof(float);
        // Small tiles wait for memory more than they multiply: more warps share the outputs.
        int helpers = tokens * outputs < 128 * 128 ? WarpsPerGroup : 1;
        int threads = WarpSize * ((WarpsPerGroup * outputs / 64) + helpers);
        // The ring begins at a multiple of 1,024.
        int sharedMemory = Math.Max(stages * stageBytes, sumBytes) + 1024;
        KernelSpec kernel = new()
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"ernie_{use.Name}_{outputs}x{tokens}x{split}x{stages}{(keepsWeights ? "_kept" : "")}{(IsScaled ? "_scaled" : "")}"),
            Header = "ernie/linear/linear_wgmma.cuh",
            Function = "linear_wgmma",
            Arguments = "LinearWgmmaArgs",
            Threads = threads,
            MinBlocks = sharedMemory <= HalfOfSharedMemory && threads <= 288 ? 2 : 1,
            ClusterSize = split,
            Constants =
            [
                .. use.ShapeConstants,
                KernelConstant.Of("kTileTokens", tokens), KernelConstant.Of("kTileOutputs", outputs), KernelConstant.Of("kSplit", split),
                KernelConstant.Of("kStages", stages), KernelConstant.Of("kHelpers", helpers), KernelConstant.Of("kKeepsWeights", keepsWeights), KernelConstant.Of("kScaled", IsScaled),
                .. use.NormConstants,
            ],
            SharedMemoryBytes = sharedMemory,
        };
        return new LinearTile(kernel, tokens, outputs) { Split = split, Form = LinearForm.Warpgroup };
    }

    // One scale per output is applied to the sums, so that the plain copy is exact.
    private bool IsScaled => use.Weight.Encoding.Format != WeightFormat.BFloat16 && use.Weight.Encoding.GroupSize == 0;
}
