using Ernie.Cpu;
using Ernie.Execution;
using Ernie.Graph;
using Ernie.Hosting.Options;

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
        EngineOptions options = request.Options;
        if (request.Quantization.KeyValueCache != KeyValuePrecision.Auto)
        {
            throw new OptionException("--kv-cache-dtype: the CPU keeps keys and values in 16 bits; use auto, or --device cuda for fp8 and int8.");
        }

        bool isReference = options.CpuReferenceActivations;
        ModelShape shape = request.Graph.Shape;
        long pageBytes = PageBytes(shape, isReference ? sizeof(float) : sizeof(ushort));
        CacheSize size = CacheSize.Plan(
            shape, options, pageBytes, MachineMemory.CacheBudget(options.MemoryUtilization, WeightBytes(request.Graph)));
        return new CpuExecutor(request.Graph, request.Checkpoint, new CpuOptions
        {
            Threads = options.CpuThreads ?? 0,
            ActivationPrecision = isReference ? ActivationPrecision.Full : ActivationPrecision.Quantized,
            MaxSequences = options.MaxSequences,
            MaxBatchedTokens = options.MaxBatchedTokens ?? DefaultBatchedTokens,
            MaxModelLength = size.MaxModelLength,
            PageCount = size.PageCount,
            Layout = request.Layout,
        });
    }

    private static long PageBytes(ModelShape shape, int elementBytes) =>
        2L * shape.LayerCount * shape.KeyValueWidth * CacheSize.TokensPerPage * elementBytes;

    // Generous: two bytes per parameter, whatever they are packed to.
    private static long WeightBytes(ModelGraph graph) => graph.Weights.Sum(tensor => 2L * tensor.Rows * (tensor.Columns ?? 1));
}
