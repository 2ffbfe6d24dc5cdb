using Ernie.Cpu.Attention;
using Ernie.Cpu.Linear;
using Ernie.Cpu.Memory;
using Ernie.Cpu.Operations;
using Ernie.Graph;

namespace Ernie.Cpu.Compilation;

/// <summary>What the operations of a graph share: kernels, scratch memory by worker, the plan of attention.</summary>
internal sealed class CpuResources : IDisposable
{
    internal CpuResources(ModelGraph graph, CpuOptions options, TileKernel kernel, int workers, int sliceTokens, int maxModelLength, int pageCount)
    {
        Kernel = kernel;
        ActivationPrecision = options.ActivationPrecision;
        CachePrecision = options.EffectiveCachePrecision;
        MaxModelLength = maxModelLength;
        PageCount = pageCount;
        int maxColumns = graph.Linears.Select(weight => weight.InFeatures).Append(16).Max();
        Pool = new BufferPool(sliceTokens, maxColumns);
        ModelShape shape = graph.Shape;
        AttentionPlan = new AttentionPlan(shape.KeyValueHeads, shape.QueryHeadsPerKeyValueHead, workers, sliceTokens);
        int rows = Math.Max(AttentionPlan.RowsPerUnit, shape.QueryHeadsPerKeyValueHead);
        WorkerScratch = [.. Enumerable.Range(0, workers).Select(_ => new AttentionScratch(rows, shape.HeadDim))];
        PartialScratch = [.. Enumerable.Range(0, AttentionPlan.MaxPartials).Select(_ => new AttentionScratch(shape.QueryHeadsPerKeyValueHead, shape.HeadDim))];
        Unpacked = [.. Enumerable.Range(0, workers).Select(_ => new NativeBuffer<byte>(IntegerLinear.UnpackedBytes(maxColumns)))];
        Widened = [.. Enumerable.Range(0, workers).Select(_ => new NativeBuffer<float>(FloatLinear.WidenedFloats(maxColumns)))];
        Owned = [Pool, .. WorkerScratch, .. PartialScratch, .. Unpacked, .. Widened];
    }

    /// <summary>Integer kernels.</summary>
    internal TileKernel Kernel { get; }

    /// <summary>What activations are when they meet quantised weights.</summary>
    internal ActivationPrecision ActivationPrecision { get; }

    /// <summary>Storage of keys and values.</summary>
    internal CachePrecision CachePrecision { get; }

    /// <summary>Positions.</summary>
    internal int MaxModelLength { get; }

    /// <summary>Pages of keys and values.</summary>
    internal int PageCount { get; }

    /// <summary>Memory of values.</summary>
    internal BufferPool Pool { get; }

    /// <summary>Units of attention of the current slice.</summary>
    internal AttentionPlan AttentionPlan { get; }

    /// <summary>By worker.</summary>
    internal AttentionScratch[] WorkerScratch { get; }

    /// <summary>By partial result.</summary>
    internal AttentionScratch[] PartialScratch { get; }

    /// <summary>By worker: two panels of widened nibbles.</summary>
    internal NativeBuffer<byte>[] Unpacked { get; }

    /// <summary>By worker: rows of widened weights.</summary>
    internal NativeBuffer<float>[] Widened { get; }

    /// <summary>Rotations by their parameters.</summary>
    internal Dictionary<RopeParameters, RopeTable> RopeTables { get; } = [];

    /// <summary>Keys and values by layer.</summary>
    internal List<IPageStore> PageStores { get; } = [];

    /// <summary>Everything to dispose.</summary>
    internal List<IDisposable> Owned { get; }

    public void Dispose()
    {
        foreach (IDisposable owned in Owned)
            owned.Dispose();
        foreach (RopeTable table in RopeTables.Values)
            table.Dispose();
    }
}
