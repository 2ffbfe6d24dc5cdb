using Ernie.Cpu;
using Ernie.Execution;
using Ernie.Graph;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;

namespace Ernie.Hosting.Backends;

/// <summary>The processor: works everywhere.</summary>
public sealed class CpuBackend : IBackend
{
    // A longer step would hold up the streams that decode beside it for seconds.
    private const int DefaultBatchedTokens = 512;

    /// <inheritdoc/>
    public string Name => "cpu";

    /// <inheritdoc/>
    public string? FindObstacle() => null;

    /// <inheritdoc/>
    public IExecutor Create(BackendRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        OptionSet options = request.Options;
        bool isReference = options.Get(DeviceRows.CpuReferenceActivations);
        CachePrecision cache = request.Quantization.KeyValueCache switch
        {
            KeyValuePrecision.EightBitFloat => CachePrecision.Float8,
            KeyValuePrecision.EightBitInteger => CachePrecision.Integer8,
            _ => isReference ? CachePrecision.Full : CachePrecision.BFloat16,
        };
        ModelShape shape = request.Graph.Shape;
        long weightBytes = WeightBytes(request.Graph);
        CacheSize size = CacheSize.Plan(
            shape, options, cache.PageBytes(shape), MachineMemory.CacheBudget(options.Get(CapacityRows.MemoryUtilization), weightBytes),
            Math.Max(0, MachineMemory.FreeBytes() - weightBytes));
        return new CpuExecutor(request.Graph, request.Checkpoint, new CpuOptions
        {
            Threads = options.Get(DeviceRows.CpuThreads) ?? 0,
            ActivationPrecision = isReference ? ActivationPrecision.Full : ActivationPrecision.Quantized,
            CachePrecision = cache,
            MaxSequences = options.Get(CapacityRows.MaxSequences),
            MaxBatchedTokens = options.Get(CapacityRows.MaxBatchedTokens) ?? DefaultBatchedTokens,
            MaxModelLength = size.MaxModelLength,
            PageCount = size.PageCount,
            Layout = request.Layout,
        });
    }

    // Generous: two bytes per parameter, whatever they are packed to.
    private static long WeightBytes(ModelGraph graph) => graph.Weights.Sum(tensor => 2L * tensor.Rows * (tensor.Columns ?? 1));
}
