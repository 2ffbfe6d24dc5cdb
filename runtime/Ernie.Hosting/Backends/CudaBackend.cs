using Ernie.Cuda;
using Ernie.Execution;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;
using Ernie.Hosting.Plugins;
using Ernie.Kernels;
using Ernie.Sampling;
using Ernie.Weights;

namespace Ernie.Hosting.Backends;

/// <summary>The first NVIDIA GPU that the process may use.</summary>
public sealed class CudaBackend : IBackend
{
    // The process's own: executors come and go, the device's context stays.
    private CudaDevice? _device;

    /// <inheritdoc/>
    public string Name => "cuda";

    /// <inheritdoc/>
    public string? FindObstacle()
    {
        try
        {
            _device ??= CudaDevice.Open();
            return null;
        }
        catch (CudaUnavailableException e)
        {
            return e.Message;
        }
    }

    /// <inheritdoc/>
    public IExecutor Create(BackendRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        OptionSet options = request.Options;
        // Refuses impossible options before anything is compiled.
        ExecutorOptions(options, request.Quantization, []);
        CacheSize.CheckLength(request.Graph.Shape, options);
        try
        {
            _device ??= CudaDevice.Open();
            CudaExecutorOptions executorOptions = ExecutorOptions(
                options, request.Quantization, WorkingSamplers(request, _device.Profile.Architecture), request.Phase, request.Notice);
            var executor = new CudaExecutor(_device, request.Graph, new WeightLoader(request.Checkpoint, request.Layout), executorOptions);
            foreach (string note in executor.Plan.Notes)
                request.Notice?.Invoke(note);
            return CheckMemory(executor, options);
        }
        catch (CudaUnavailableException e)
        {
            throw new DeviceUnavailableException(e.Message, e);
        }
    }

    /// <summary>What an executor is made with; also decides its kernels, so that they can be compiled without a device.</summary>
    /// <param name="options">Capacity and device options.</param>
    /// <param name="quantization">Precisions.</param>
    /// <param name="samplers">Samplers that requests may choose.</param>
    /// <param name="phase">Told how long each part of the start took.</param>
    /// <param name="notice">Told of what is not used, and why.</param>
    public static CudaExecutorOptions ExecutorOptions(
        OptionSet options, QuantizationOptions quantization, IReadOnlyList<ISampler> samplers, Action<string, TimeSpan>? phase = null,
        Action<string>? notice = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(quantization);
        return new CudaExecutorOptions
        {
            MaxSequences = options.Get(CapacityRows.MaxSequences),
            MaxBatchedTokens = options.Get(CapacityRows.MaxBatchedTokens) ?? new CudaExecutorOptions().MaxBatchedTokens,
            MaxModelLength = options.Get(CapacityRows.MaxModelLength),
            GpuMemoryUtilization = options.Get(CapacityRows.MemoryUtilization),
            PageCount = options.Get(CapacityRows.PageCount),
            UsesGraphs = CapacityRows.UsesCudaGraphs(options),
            KeepsBf16Copies = options.Get(CapacityRows.Bf16Copies),
            UsesPersistentKernel = options.Get(CapacityRows.PersistentKernel),
            KeyValueFormat = FormatOf(quantization.KeyValueCache),
            Samplers = samplers,
            Phase = phase,
            Notice = notice,
        };
    }

    private static KeyValueFormat FormatOf(KeyValuePrecision precision) => precision switch
    {
        KeyValuePrecision.EightBitFloat => KeyValueFormat.Float8,
        KeyValuePrecision.EightBitInteger => KeyValueFormat.Integer8,
        _ => KeyValueFormat.BFloat16,
    };

    private static IReadOnlyList<ISampler> WorkingSamplers(BackendRequest request, GpuArchitecture architecture)
    {
        if (DeviceFormCheck.Find(request.Samplers, architecture, request.Graph.Shape.VocabularySize) is not { Count: > 0 } broken)
        {
            return request.Samplers;
        }

        request.RefuseSamplers?.Invoke(broken);
        return [.. request.Samplers.Except(broken.Select(pair => pair.Sampler))];
    }

    private static CudaExecutor CheckMemory(CudaExecutor executor, OptionSet options)
    {
        try
        {
            CacheSize.CheckHeld(executor.Info.PageCount, options);
            return executor;
        }
        catch
        {
            executor.Dispose();
            throw;
        }
    }
}
