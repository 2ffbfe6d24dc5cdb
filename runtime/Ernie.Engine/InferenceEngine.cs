using System.Security.Cryptography;
using System.Text;
using Ernie.Engine.Looping;
using Ernie.Engine.Sequences;
using Ernie.Engine.Settings;
using Ernie.Engine.Streaming;
using Ernie.Execution;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine;

/// <summary>The engine: checks requests on the caller's thread and hands them to the loop.</summary>
/// <remarks>
/// <see cref="GenerateAsync"/> checks and submits at once, before it is enumerated: several choices submitted together run
/// together. A sequence whose stream is enumerated and disposed, or whose token is cancelled, frees its pages at the next step.
/// </remarks>
public sealed class InferenceEngine : IEngine
{
    private readonly EngineLoop _loop;
    private readonly EngineSettings _settings;
    private readonly RequestValidator _validator;
    private readonly IDeviceSampling? _device;
    private readonly int _hiddenSize;
    private volatile bool _draining, _disposed;

    /// <summary>Makes an engine and starts its loop.</summary>
    /// <param name="executor">Runs the model; owned by the engine from here on and disposed with it.</param>
    /// <param name="settings">Everything else.</param>
    /// <exception cref="ArgumentException">The default sampler is not among the samplers.</exception>
    public InferenceEngine(IExecutor executor, EngineSettings settings)
    {
        ArgumentNullException.ThrowIfNull(executor);
        ArgumentNullException.ThrowIfNull(settings);
        ExecutorInfo info = executor.Info;
        _settings = settings;
        _hiddenSize = info.HiddenSize;
        _device = executor.Sampling;

        // A sequence that has the pool for itself must be able to end.
        int maxLength = (int)Math.Min(info.MaxModelLength, (long)info.PageCount * info.TokensPerPage);
        _validator = new RequestValidator(settings, info.VocabularySize, maxLength);
        _loop = new EngineLoop(executor, settings, this);
        Info = new EngineInfo
        {
            ModelName = settings.ModelName,
            Device = info.Device,
            MaxModelLength = maxLength,
            VocabularySize = info.VocabularySize,
            HiddenSize = info.HiddenSize,
            MaxSequences = _loop.MaxSequences,
            PageCount = info.PageCount,
            TokensPerPage = info.TokensPerPage,
            Samplers = [.. settings.Samplers.Select(s => s.Name)],
            CachePolicy = settings.CachePolicy?.Name,
        };
        _loop.Start();
    }

    /// <inheritdoc/>
    public EngineInfo Info { get; }

    /// <summary>Managed bytes that the loop's thread has allocated since its start.</summary>
    public long LoopAllocatedBytes => _loop.AllocatedBytes;

    /// <inheritdoc/>
    public IAsyncEnumerable<GenerationEvent> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        Sequence sequence = CreateSequence(request, cancellationToken);
        RefuseWhenClosed();
        if (_loop.Queued >= _settings.MaxQueuedRequests && _loop.Queued - _loop.FreeSlots >= _settings.MaxQueuedRequests)
        {
            throw new RequestRejectedException(
                RejectionReason.QueueFull, $"{_settings.MaxQueuedRequests} requests wait already, as many as may; try again later.");
        }

        _loop.Submit(sequence);
        sequence.Stream.Open();
        return sequence.Stream;
    }

    /// <inheritdoc/>
    public EngineStatistics GetStatistics() => _loop.GetStatistics();

    /// <inheritdoc/>
    public void Pause() => _loop.SetPaused(true);

    /// <inheritdoc/>
    public void Resume() => _loop.SetPaused(false);

    /// <inheritdoc/>
    public Task<int> AbortAllAsync() => Send(LoopCommandKind.Abort);

    /// <inheritdoc/>
    public Task<int> ResetPrefixCacheAsync() => Send(LoopCommandKind.ResetCache);

    /// <inheritdoc/>
    public Task DrainAsync(CancellationToken cancellationToken)
    {
        _draining = true;
        return Send(LoopCommandKind.Drain).WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        if (!_disposed)
        {
            _disposed = true;
            _loop.Stop();
            _loop.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private Task<int> Send(LoopCommandKind kind)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _loop.Send(kind);
    }

    private void RefuseWhenClosed()
    {
        if (_loop.Failure is { } failure)
        {
            throw new RequestRejectedException(RejectionReason.Draining, $"The engine takes nothing any more: {failure}.");
        }

        if (_draining || _disposed)
        {
            throw new RequestRejectedException(RejectionReason.Draining, "The engine is shutting down and takes no new requests.");
        }
    }

    private Sequence CreateSequence(GenerationRequest request, CancellationToken cancellationToken)
    {
        int[] prompt = _validator.CopyPrompt(request);
        CheckedSampling sampling = _validator.CheckSampling(request.Sampling);
        ISampler sampler = sampling.Sampler;
        int maxLength = _validator.MaxLength(request, prompt.Length);
        int[] stopTokens = _validator.StopTokens(request);
        RequestValidator.RequireATokenLeft(sampling, request.Sampling, stopTokens);
        ProcessorState[] processors = _validator.CreateStates(request, stopTokens);
        bool onDevice = IsSampledOnDevice(request, sampler, stopTokens.Length, processors) && !NeedsHostLogits(request);
        var checkedRequest = new SequenceRequest
        {
            Original = request,
            Prompt = prompt,
            MaxLength = maxLength,
            Sampler = sampler,
            Parameters = sampling.Parameters,
            Seed = request.Sampling.Seed ?? _settings.Seed ?? (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue),
            Salt = Salt(request.CacheSalt),
            StopTokens = stopTokens,
            Allowed = sampling.Allowed,
            Processors = processors,
            KeepsHistory = Sampling.LogitsPipeline.NeedsHistory(processors, sampler),
            SampledOnDevice = onDevice,
            PromptLogprobsOnDevice = _device is not null && request.PromptLogprobs is { } count && count <= _device.MaxLogprobs,
            // A device tells log-probabilities of one token a row, and has one mask for it.
            MaxDrafts = onDevice && (request.Logprobs is not null || request.TokenMask is not null) ? 0 : Math.Min(_settings.Drafts?.MaxDrafts ?? 0, onDevice ? _device!.MaxDrafts : int.MaxValue), // Drawn on a device: there is one.
        };
        var stream = new GenerationStream(new PromptResults(request, prompt, _hiddenSize), request.Logprobs is null ? null : checkedRequest.TopCount, _loop.NoteAbandoned, cancellationToken);
        return new Sequence(checkedRequest, stream, System.Diagnostics.Stopwatch.GetTimestamp())
        {
            Mask = request.TokenMask is null ? null : new uint[(Info.VocabularySize + 31) / 32],
        };
    }

    // What the device does not do (processors without a form there, lists longer than it keeps) makes its row, and only its row, a host row. So does a prompt of
    // which the host takes log-probabilities: a row draws on the device only where nothing else is wanted of its logits.
    private bool IsSampledOnDevice(GenerationRequest request, ISampler sampler, int stopTokenCount, ProcessorState[] processors) =>
        _device is not null && (request.Logprobs ?? -1) <= _device.MaxLogprobs && (request.PromptLogprobs ?? -1) <= _device.MaxLogprobs
        && _device.Supports(sampler) && stopTokenCount <= _device.MaxStopTokens && processors.All(used => _device.Supports(used.Processor, used.State));

    // Masks and log-probabilities that only the host has.
    private static bool NeedsHostLogits(GenerationRequest request) =>
        request.Sampling.AllowedTokens is not null || request.LogprobTokens is not null || request.TemperatureScaledLogprobs || request.TopPNormalizedLogprobs;

    // 64 bits of SHA-256: callers cannot find a salt that meets another's.
    private static ulong Salt(string? text) =>
        text is null ? 0 : BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
