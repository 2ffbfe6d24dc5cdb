using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>The attention kernels of a model on a device, and how their launches are sized.</summary>
public sealed class AttentionKernels
{
    private const int WarpSize = 32;
    private const int DecodeWarps = 4;

    // Clusters that share one row at most.
    private const int MostClusters = 8;

    // The portable limit of a cluster, and half of it. Where clusters of two would fit, equal shares of all pages are better, since
    // long rows then hold up less.
    private static readonly int[] s_clusterSizes = [8, 4];

    // Floats of one head's part of a result, kPartialStride in ernie/attention/common.cuh.
    private const int PartialStride = 132;

    private readonly ModelShape _shape;
    private readonly DeviceProfile _device;

    private AttentionKernels(ModelShape shape, DeviceProfile device, KeyValueFormat format)
    {
        _shape = shape;
        _device = device;
        Format = format;
    }

    /// <summary>Storage of keys and values.</summary>
    public KeyValueFormat Format { get; }

    /// <summary>Rows with one new token, in equal shares of all their pages.</summary>
    public required KernelSpec Decode { get; init; }

    /// <summary>Few rows with one new token: clusters for each row and head, larger ones first; none where there are no clusters.</summary>
    public required IReadOnlyList<KernelSpec> DecodeClusters { get; init; }

    /// <summary>Rows with several new tokens.</summary>
    public required KernelSpec Prefill { get; init; }

    /// <summary>Puts a step's keys and values into an 8-bit cache; null for bf16, which the projection writes itself.</summary>
    public required KernelSpec? Store { get; init; }

    /// <summary>Query rows of a tile of <see cref="Prefill"/>.</summary>
    public required int PrefillTileRows { get; init; }

    /// <summary>Whether <see cref="Prefill"/> takes ernie::AttentionTensorArgs, whose tensor maps describe bf16 pages.</summary>
    public required bool PrefillTakesTensorMaps { get; init; }

    /// <summary>Whether <see cref="Prefill"/> can leave quantised rows.</summary>
    public required bool PrefillQuantizes { get; init; }

    /// <summary>Tokens of one tile of <see cref="Prefill"/>.</summary>
    public int PrefillTileTokens => PrefillTileRows / _shape.QueryHeadsPerKeyValueHead;

    /// <summary>All kernels.</summary>
    public IEnumerable<KernelSpec> Kernels => ((KernelSpec?[])[Decode, .. DecodeClusters, Prefill, Store]).OfType<KernelSpec>();

    /// <summary>Chooses the kernels.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="device">The device.</param>
    /// <param name="format">Storage of keys and values.</param>
    /// <param name="quantizes">Whether what reads the output multiplies e4m3.</param>
    public static AttentionKernels Create(ModelShape shape, DeviceProfile device, KeyValueFormat format, bool quantizes = false)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(device);
        (int stages, int blocks) = DecodeDepth(device.Architecture, format);
        AttentionTile tile = device.Architecture.HasWarpgroupProducts ? Warpgroups(shape, format, consumers: 2, pages: 2, stages: 2, quantizes) : WarpTiles(shape, format, warps: 4, rowTiles: 2);
        return new AttentionKernels(shape, device, format)
        {
            Decode = DecodeKernel(shape, format, stages, blocks, clusterBlocks: 1),
            DecodeClusters = device.Architecture.HasWarpgroupProducts
                ? [.. s_clusterSizes.Select(size => DecodeKernel(shape, format, format == KeyValueFormat.BFloat16 ? 3 : 5, blocks: 1, size))]
                : [],
            Prefill = tile.Kernel,
            PrefillTileRows = tile.Rows,
            PrefillQuantizes = quantizes && device.Architecture.HasWarpgroupProducts,
            PrefillTakesTensorMaps = tile.TakesTensorMaps,
            Store = format == KeyValueFormat.BFloat16 ? null : StoreKernel(shape, format),
        };
    }

    /// <summary>The kernel and grid for rows with one new token.</summary>
    /// <param name="rows">Rows of the launch.</param>
    public AttentionLaunch DecodeFor(int rows)
    {
        KernelSpec? cluster = DecodeClusters.FirstOrDefault(kernel => rows * _shape.KeyValueHeads * kernel.ClusterSize <= _device.Multiprocessors);
        return cluster is null ? new AttentionLaunch(Decode, DecodeBlocks, 1, 1) : ClusterLaunch(cluster, rows);
    }

    /// <summary>The kernels for rows with one new token, by their number: ascending, the last without a limit.</summary>
    internal IEnumerable<(KernelSpec Kernel, int MostRows, GridRule Grid)> DecodeRanges()
    {
        foreach (KernelSpec cluster in DecodeClusters)
        {
            yield return (
                cluster, _device.Multiprocessors / (_shape.KeyValueHeads * cluster.ClusterSize),
                GridRule.PerDecodeRow(cluster.ClusterSize, _shape.KeyValueHeads, MostClusters, _device.Multiprocessors));
        }

        yield return (Decode, int.MaxValue, GridRule.Fixed(DecodeBlocks));
    }

    /// <summary>Bytes of the results of parts of rows that wait to be merged.</summary>
    public long PartialBytes
    {
        get
        {
            int shareParts = 2 * DecodeBlocks * _shape.QueryHeadsPerKeyValueHead;
            int clusterParts = DecodeClusters.Count == 0 ? 0 : Enumerable.Range(1, _device.Multiprocessors)
                .Max(rows => DecodeFor(rows) is { Kernel.ClusterSize: > 1 } launch ? rows * _shape.QueryHeads * (launch.GridX / launch.Kernel.ClusterSize) : 0);
            return Math.Max(clusterParts, shareParts) * (long)PartialStride * sizeof(float);
        }
    }

    private int DecodeBlocks => _device.Multiprocessors * Decode.MinBlocks;

    internal AttentionLaunch ClusterLaunch(KernelSpec kernel, int rows)
    {
        int clusters = Math.Clamp(_device.Multiprocessors / (rows * _shape.KeyValueHeads * kernel.ClusterSize), 1, MostClusters);
        return new AttentionLaunch(kernel, kernel.ClusterSize * clusters, _shape.KeyValueHeads, rows);
    }

    // As many copies in flight as a multiprocessor's shared memory holds, and blocks beside each other, since a warp waits for its own.
    private static (int Stages, int Blocks) DecodeDepth(GpuArchitecture architecture, KeyValueFormat format)
    {
        const int LargeMemory = 227 * 1024;
        if (format == KeyValueFormat.BFloat16)
            return architecture.SharedMemoryPerBlock >= LargeMemory ? (3, 2) : architecture.SharedMemoryPerBlock > 99 * 1024 ? (4, 1) : (2, 1);

        return architecture.SharedMemoryPerBlock >= LargeMemory ? (3, 3) : architecture.SharedMemoryPerBlock > 99 * 1024 ? (3, 2) : (4, 1);
    }

    internal static KernelSpec DecodeKernel(ModelShape shape, KeyValueFormat format, int stages, int blocks, int clusterBlocks)
    {
        const int KeysPerTile = 16;
        int element = format == KeyValueFormat.BFloat16 ? sizeof(ushort) : 1;
        int tileBytes = (2 * KeysPerTile * shape.HeadDim * element) + (format == KeyValueFormat.BFloat16 ? 0 : 2 * KeysPerTile * sizeof(float));
        return new KernelSpec
        {
            Name = clusterBlocks > 1 ? $"ernie_attention_decode_cluster_{clusterBlocks}" : "ernie_attention_decode",
            Header = "ernie/attention/attention_decode.cuh",
            Function = "attention_decode",
            Arguments = "AttentionArgs",
            Threads = DecodeWarps * WarpSize,
            MinBlocks = blocks,
            ClusterSize = clusterBlocks,
            Constants = [.. Constants(shape, format), KernelConstant.Of("kStages", stages), KernelConstant.Of("kClusterBlocks", clusterBlocks)],
            SharedMemoryBytes = (DecodeWarps * stages * tileBytes) + (DecodeWarps * shape.QueryHeadsPerKeyValueHead * PartialStride * sizeof(float)),
        };
    }

    internal static AttentionTile WarpTiles(ModelShape shape, KeyValueFormat format, int warps, int rowTiles)
    {
        int rows = warps * rowTiles * 16;
        int element = format == KeyValueFormat.BFloat16 ? sizeof(ushort) : 1;
        int stageBytes = (2 * KernelPlan.TokensPerPage * shape.HeadDim * element) + (format == KeyValueFormat.BFloat16 ? 0 : 2 * KernelPlan.TokensPerPage * sizeof(float));
        return new AttentionTile(
            new KernelSpec
            {
                Name = "ernie_attention_prefill",
                Header = "ernie/attention/attention_prefill.cuh",
                Function = "attention_prefill",
                Arguments = "AttentionArgs",
                Threads = warps * WarpSize,
                Constants = [.. Constants(shape, format), KernelConstant.Of("kRowTiles", rowTiles)],
                SharedMemoryBytes = (rows * shape.HeadDim * sizeof(ushort)) + (2 * stageBytes),
            },
            rows,
            TakesTensorMaps: false);
    }

    internal static AttentionTile Warpgroups(ModelShape shape, KeyValueFormat format, int consumers, int pages, int stages, bool quantizes = false)
    {
        const int RowsPerWarpgroup = 64, Alignment = 1024;
        int rows = RowsPerWarpgroup * consumers, rowBytes = shape.HeadDim * sizeof(ushort);
        return new AttentionTile(
            new KernelSpec
            {
                Name = "ernie_attention_prefill",
                Header = "ernie/attention/attention_wgmma.cuh",
                Function = "attention_wgmma",
                Arguments = "AttentionTensorArgs",
                Threads = (consumers + 1) * 4 * WarpSize,
                Constants =
                [
                    .. Constants(shape, format), KernelConstant.Of("kPagesPerBlock", pages), KernelConstant.Of("kStages", stages),
                    KernelConstant.Of("kQuantizes", quantizes),
                ],
                SharedMemoryBytes = (rows * rowBytes) + (stages * 2 * pages * KernelPlan.TokensPerPage * rowBytes) + Alignment,
            },
            rows,
            TakesTensorMaps: true);
    }

    private static KernelSpec StoreKernel(ModelShape shape, KeyValueFormat format) => new()
    {
        Name = "ernie_store_cache",
        Header = "ernie/attention/store_cache.cuh",
        Function = "store_cache",
        Arguments = "StoreCacheArgs",
        Threads = 2 * shape.KeyValueHeads * WarpSize,
        Constants = Constants(shape, format),
    };

    /// <summary>Factor of the scores, the same in every kernel that attends. Softmax runs in base 2: log2(e) / sqrt(head size).</summary>
    /// <param name="shape">The model's numbers.</param>
    internal static KernelConstant Scale(ModelShape shape) => KernelConstant.Of("kScale", (float)(Math.Log2(Math.E) / Math.Sqrt(shape.HeadDim)));

    private static KernelConstant[] Constants(ModelShape shape, KeyValueFormat format) =>
    [
        KernelConstant.Of("kHeads", shape.QueryHeads),
        KernelConstant.Of("kKeyValueHeads", shape.KeyValueHeads),
        KernelConstant.Of("kHeadSize", shape.HeadDim),
        KernelConstant.Of("kTokensPerPage", KernelPlan.TokensPerPage),
        Scale(shape),
        KernelConstant.Of("ernie::CacheFormat", "kCache", "ernie::CacheFormat::" + format switch
        {
            KeyValueFormat.BFloat16 => "kBfloat16",
            KeyValueFormat.Float8 => "kFloat8",
            _ => "kInt8",
        }),
    ];
}
