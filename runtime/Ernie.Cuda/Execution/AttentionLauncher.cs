using Ernie.Cuda.Compilation;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>Queues the kernels of attention, and of an 8-bit cache where tiles of several tokens read it.</summary>
internal sealed class AttentionLauncher(
    KernelPlan plan, KernelLibrary kernels, DeviceBuffers buffers, KeyValuePool pool, StepLayout layout, nint stream, bool overlaps)
{
    // Keys and values of each layer, where prefill attention takes them.
    private readonly TensorMap[] _pageMaps = plan.Attention.PrefillTakesTensorMaps && plan.Attention.Format == KeyValueFormat.BFloat16
        ? [.. Enumerable.Range(0, plan.Model.Shape.LayerCount).SelectMany(layer => (TensorMap[])[pool.Map(pool.Keys(layer)), pool.Map(pool.Values(layer))])]
        : [];

    /// <summary>Queues the attention of a layer.</summary>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="step">The rows.</param>
    /// <param name="quantizes">Whether tiles of several tokens leave codes for the matrix behind.</param>
    public void Run(int layer, in StepShape step, bool quantizes)
    {
        AttentionKernels attention = plan.Attention;
        // Where all rows have one token, decode attention puts it into the cache; tiles of several tokens need each other's first.
        bool storesApart = attention.Store is not null && step.PrefillTiles > 0;
        if (storesApart)
            StoreCache(attention.Store!, layer, step.Tokens); // The line above is false without one.

        AttentionArguments arguments = new()
        {
            Query = buffers.Query,
            Keys = pool.Keys(layer),
            Values = pool.Values(layer),
            KeyScales = pool.KeyScales(layer),
            ValueScales = pool.ValueScales(layer),
            NewKeys = storesApart ? 0 : buffers.NewKeys,
            NewValues = storesApart ? 0 : buffers.NewValues,
            PageTable = buffers.PageTable,
            Output = buffers.Attention,
            Header = buffers.Step,
            Tiles = buffers.Step + (sizeof(int) * (ulong)step.TilesOffset),
            Partials = buffers.Partials,
            Arrivals = buffers.Arrivals,
            PagesPerSlot = layout.PagesPerSlot,
            RowCapacity = layout.RowCapacity,
            DecodeRows = step.DecodeRows,
        };
        if (step.DecodeRows > 0)
        {
            AttentionLaunch launch = attention.DecodeFor(step.DecodeRows);
            kernels[launch.Kernel].Launch(stream, launch.GridX, launch.GridY, launch.GridZ, arguments, overlaps);
        }

        if (step.PrefillTiles == 0)
            return;

        CudaKernel prefill = kernels[attention.Prefill];
        if (attention.PrefillTakesTensorMaps)
        {
            AttentionTensorArguments withMaps = new() { Attention = arguments, Quantized = quantizes ? buffers.WideCodes : default };
            if (_pageMaps.Length > 0)
                (withMaps.Keys, withMaps.Values) = (_pageMaps[2 * layer], _pageMaps[(2 * layer) + 1]);
            prefill.Launch(stream, step.PrefillTiles, plan.Model.Shape.KeyValueHeads, 1, withMaps, overlaps);
        }
        else
        {
            prefill.Launch(stream, step.PrefillTiles, plan.Model.Shape.KeyValueHeads, 1, arguments, overlaps);
        }
    }

    private void StoreCache(KernelSpec store, int layer, int tokens)
    {
        StoreCacheArguments arguments = new()
        {
            Keys = buffers.NewKeys,
            Values = buffers.NewValues,
            KeyPages = pool.Keys(layer),
            ValuePages = pool.Values(layer),
            KeyScales = pool.KeyScales(layer),
            ValueScales = pool.ValueScales(layer),
            Places = buffers.Places,
            PageTable = buffers.PageTable,
            TokenCount = buffers.TokenCount,
            PagesPerSlot = layout.PagesPerSlot,
        };
        kernels[store].Launch(stream, tokens, 1, 1, arguments, overlaps);
    }
}
