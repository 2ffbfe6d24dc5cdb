using Ernie.Cuda;
using Ernie.Execution;
using Ernie.Hosting.Options;
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
        EngineOptions options = request.Options;
        // Refuses impossible options before anything is compiled.
        ExecutorOptions(options, request.Quantization, []);
        CacheSize.CheckLength(request.Graph.Shape, options);
        try
        {
            _device ??= CudaDevice.Open();
            CudaExecutorOptions executorOptions = ExecutorOptions(
                options, request.Quantization, WorkingSamplers(request, _device.Profile.Architecture), request.Phase);
            var executor = new CudaExecutor(_device, request.Graph, new WeightLoader(request.Checkpoint, request.Layout), executorOptions);
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
    /// <exception cref="OptionException">What is asked is not possible on a GPU; the message says what is.</exception>
    public static CudaExecutorOptions ExecutorOptions(
        EngineOptions options, QuantizationOptions quantization, IReadOnlyList<ISampler> samplers, Action<string, TimeSpan>? phase = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(quantization);
        if (quantization.KeyValueCache != KeyValuePrecision.Auto)
        {
            throw new OptionException("--kv-cache-dtype: keys and values are kept in 16 bits on the GPU in this version; use auto.");
        }

        return new CudaExecutorOptions
        {
            MaxSequences = options.MaxSequences,
            MaxBatchedTokens = options.MaxBatchedTokens ?? new CudaExecutorOptions().MaxBatchedTokens,
            MaxModelLength = options.MaxModelLength,
            GpuMemoryUtilization = options.MemoryUtilization,
            PageCount = options.PageCount,
            UsesGraphs = options.UseCudaGraphs,
            KeepsBf16Copies = options.KeepBf16Copies,
            Samplers = samplers,
            Phase = phase,
        };
    }

    private static IReadOnlyList<ISampler> WorkingSamplers(BackendRequest request, GpuArchitecture architecture)
    {
        if (DeviceFormCheck.Find(request.Samplers, architecture, request.Graph.Shape.VocabularySize) is not { Count: > 0 } broken)
        {
            return request.Samplers;
        }

        request.RefuseSamplers?.Invoke(broken);
        return [.. request.Samplers.Except(broken.Select(pair => pair.Sampler))];
    }

    private static CudaExecutor CheckMemory(CudaExecutor executor, EngineOptions options)
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
