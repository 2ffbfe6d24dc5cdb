using System.Diagnostics;
using System.Runtime.InteropServices;
using Ernie.Caching;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Execution;
using Ernie.Cuda.Interop;
using Ernie.Cuda.Memory;
using Ernie.Execution;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Sampling;
using Ernie.Weights;

namespace Ernie.Cuda;

/// <summary>
/// Runs a dense model on one GPU. Decoding replays a captured graph per batch bucket; token ids, positions and page tables live on the
/// device, so that a steady batch needs one launch per step and the host only reads records in mapped memory.
/// </summary>
public sealed class CudaExecutor : IExecutor, IDeviceSampling
{
    /// <summary>Steps whose records may be unread; kRecordRing of ernie/sampling/sample_rows.cuh.</summary>
    internal const int RecordRing = 4;

    private const int StepsInFlight = 2;

    private readonly CudaDevice _device;
    private readonly KernelLibrary _kernels;
    private readonly DeviceArena _arena = new();
    private readonly CudaStream _stream;
    private readonly StepLayout _layout;
    private readonly DeviceBuffers _buffers;
    private readonly SlotTable _slots;
    private readonly PinnedBuffer _records;
    private readonly StepWriter _writer;
    private readonly ModelRunner _runner;
    private readonly PersistentStep? _persistent;
    private readonly DecodeGraphs? _graphs;
    private readonly ResultCopies _copies;
    private readonly LogProbabilities _logProbabilities;
    private readonly TokenMasks _masks;
    private readonly CudaStepOutput _output;

    // One more than may be in flight: the oldest is still being read.
    private readonly PendingStep[] _steps = new PendingStep[StepsInFlight + 1];
    private readonly TimeSpan _stepTimeout;
    private CudaTimeoutException? _hang;
    private uint _begun = 1;
    private uint _completed = 1;

    /// <summary>Loads a model: compiles or finds its kernels, packs its weights, takes its memory, captures its graphs.</summary>
    /// <param name="device">The device; stays the caller's.</param>
    /// <param name="graph">A dense model's graph after the shared passes.</param>
    /// <param name="loader">Reads the weights.</param>
    /// <param name="options">Capacities.</param>
    /// <exception cref="CudaUnavailableException">The kernels cannot be compiled, the memory does not suffice, or the model has no kernels.</exception>
    /// <exception cref="WeightFormatException">A weight is missing or does not fit.</exception>
    public CudaExecutor(CudaDevice device, ModelGraph graph, WeightLoader loader, CudaExecutorOptions options)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(loader);
        ArgumentNullException.ThrowIfNull(options);
        _device = device;
        device.MakeCurrent();
        _stepTimeout = options.StepTimeout;
        ISampler[] samplers = DeviceSamplers(options);
        DeviceMemory atStart = MemoryOf(device, ownBytes: 0);
        // Before seconds are spent on weights for which there is no room. A number of pages is asked for whatever the share.
        if (options.PageCount is null)
            CacheBudget.CheckShare(atStart, options.GpuMemoryUtilization);
        bool hasRoomForCopies = KernelPlanner.Bf16CopyBytes(graph, device.Profile) <= CacheBudget.Room(atStart, options.GpuMemoryUtilization) / 4;
        Plan = CreatePlan(graph, device.Profile, options, options.KeepsBf16Copies && hasRoomForCopies);
        if (Plan.Persistent is not null && SharedCard.PersistentKernelAdvice(atStart, device.OtherProcesses()) is { } advice)
            options.Notice?.Invoke(advice);
        ModelShape shape = graph.Shape;
        int maxModelLength = Math.Min(options.MaxModelLength ?? shape.MaxPosition, shape.MaxPosition);
        int pagesPerSequence = (maxModelLength + KernelPlan.TokensPerPage - 1) / KernelPlan.TokensPerPage;
        _layout = new StepLayout(options.MaxSequences, options.MaxBatchedTokens, pagesPerSequence, Plan.Attention.PrefillTileTokens);

        long since = Stopwatch.GetTimestamp();
        _kernels = new KernelLibrary(Plan, new KernelCompiler(options.CubinCache ?? CubinCache.Default(), options.FindCompiler()), options.Progress);
        Tell(options, "kernels", ref since);
        _stream = new CudaStream();
        DeviceWeights weights = new(Plan, _kernels, loader, _arena, _stream, maxModelLength);
        Tell(options, "weights", ref since);
        _buffers = new DeviceBuffers(Plan, _layout, _arena, _stream);
        _slots = new SlotTable(Plan, _kernels, samplers, DeviceProcessors(options), _layout, maxModelLength, _arena, _stream);
        _records = new PinnedBuffer(RecordRing * (long)options.MaxSequences * 4 * sizeof(int));
        _writer = new StepWriter(_layout, _steps.Length, Plan.Attention.PrefillTileTokens);
        for (int index = 0; index < _steps.Length; index++)
            _steps[index] = new PendingStep(options.MaxSequences);
        KeyValuePool pool = KeyValuePool.Create(MemoryOf(device, _arena.ByteCount), shape, options, pagesPerSequence, _arena);
        _runner = new ModelRunner(
            Plan, _kernels, weights, _buffers, pool, _layout, _slots.Addresses, _records.DeviceAddress, _stream, options.UsesDependentLaunch);
        _copies = new ResultCopies(_buffers, _layout, _runner, shape, _stream);
        _masks = new TokenMasks(_slots.Addresses.Masks, shape.VocabularySize, options.MaxSequences, _steps.Length, _stream);
        _logProbabilities = new LogProbabilities(Plan, _kernels, _buffers, _layout, _slots.Addresses.LastToken, _runner, _steps.Length, _arena, _stream);
        PersistentObstacle = Plan.PersistentObstacle;
        if (Plan.Persistent is { } persistent)
        {
            PersistentObstacle = persistent.FindObstacle(_kernels[persistent.Kernel].ResidentClusters());
            if (PersistentObstacle is null)
                _persistent = new PersistentStep(persistent, _kernels, weights, _buffers, pool, _layout, _slots.Addresses, _arena, _stream);
        }

        if (PersistentObstacle is not null)
            options.Notice?.Invoke($"One sequence is decoded by several kernels a layer, not by the persistent one: {PersistentObstacle}.");
        Tell(options, "memory", ref since);
        _graphs = options.UsesGraphs ? new DecodeGraphs(_runner, _persistent, _logProbabilities, _stream, options.MaxSequences) : null;
        _stream.Synchronize();
        Tell(options, "graphs", ref since);
        _output = new CudaStepOutput(_records, _logProbabilities, options.MaxSequences, shape.VocabularySize, shape.HiddenSize);
        Info = new ExecutorInfo
        {
            Device = device.Name,
            VocabularySize = shape.VocabularySize,
            PageCount = pool.PageCount,
            TokensPerPage = KernelPlan.TokensPerPage,
            MaxSequences = options.MaxSequences,
            MaxBatchedTokens = options.MaxBatchedTokens,
            MaxModelLength = maxModelLength,
            HiddenSize = shape.HiddenSize,
            MaxStepsInFlight = StepsInFlight,
            CopiesPages = true,
        };
    }

    /// <inheritdoc/>
    public ExecutorInfo Info { get; }

    /// <summary>The kernels in use.</summary>
    public KernelPlan Plan { get; }

    /// <summary>Whether decoding steps replay graphs; measurements of single kernels switch it off for a step.</summary>
    internal bool RunsGraphs { get; set; } = true;

    /// <summary>The persistent kernel's side, or null where it is not used.</summary>
    internal PersistentStep? Persistent => _persistent;

    /// <summary>Why the persistent kernel is not used although it was asked for, or null.</summary>
    internal string? PersistentObstacle { get; }

    /// <summary>Device memory taken, in bytes.</summary>
    public long DeviceBytes => _arena.ByteCount;

    /// <summary>The kernels that an executor would load; needs no device, so that caches can be filled elsewhere.</summary>
    /// <param name="graph">A dense model's graph after the shared passes.</param>
    /// <param name="profile">The device.</param>
    /// <param name="options">What the executor would be made with.</param>
    /// <exception cref="CudaUnavailableException">The model has no kernels.</exception>
    /// <remarks>Copies in bf16 that the options allow are taken to have room.</remarks>
    public static KernelPlan CreatePlan(ModelGraph graph, DeviceProfile profile, CudaExecutorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return CreatePlan(graph, profile, options, options.KeepsBf16Copies);
    }

    private static KernelPlan CreatePlan(ModelGraph graph, DeviceProfile profile, CudaExecutorOptions options, bool keepsBf16Copies)
    {
        try
        {
            return KernelPlanner.Create(
                graph, profile, DeviceSamplers(options), keepsBf16Copies, options.KeyValueFormat,
                options is { UsesPersistentKernel: true, UsesGraphs: true } ? options.PersistentTuning : null, DeviceProcessors(options));
        }
        catch (KernelPlanException exception)
        {
            throw new CudaUnavailableException(CudaDiagnostics.NotSupported, exception.Message, exception);
        }
    }

    /// <inheritdoc/>
    public IDeviceSampling Sampling => this;

    /// <inheritdoc/>
    public int MaxDrafts => 0;

    /// <inheritdoc/>
    public int MaxLogprobs => LogProbabilityKernel.MostRivals;

    /// <inheritdoc/>
    public int MaxStopTokens => SlotTable.StopCapacity;

    /// <inheritdoc/>
    public bool Supports(ISampler sampler)
    {
        ArgumentNullException.ThrowIfNull(sampler);
        return _slots.IndexOf(sampler) >= 0;
    }

    /// <inheritdoc/>
    public bool Supports(ILogitsProcessor processor, ReadOnlySpan<byte> state)
    {
        ArgumentNullException.ThrowIfNull(processor);
        return _slots.Supports(processor, state);
    }

    /// <inheritdoc/>
    public void SetSlot(int slot, in DeviceSlot request)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)_layout.RowCapacity);
        _device.MakeCurrent();
        _slots.Set(slot, request);
    }

    /// <inheritdoc/>
    public void ReadScratch(int slot, Span<byte> scratch)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)_layout.RowCapacity);
        _device.MakeCurrent();
        _slots.ReadScratch(slot, scratch);
    }

    /// <inheritdoc/>
    public void Begin(StepBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (_begun - _completed >= StepsInFlight)
            throw new InvalidOperationException($"{StepsInFlight} steps have begun and not completed.");
        if (_hang is not null)
            throw _hang;

        _device.MakeCurrent();
        uint sequence = _begun;
        PendingStep step = _steps[sequence % _steps.Length];
        int hostLogits = ResultCopies.Describe(batch, step, sequence);
        nint graph = batch.IsDecode && RunsGraphs && _graphs is not null ? _graphs.For(batch.RowCount, batch.Start[0] + 1, step.LogprobDraws > 0) : 0;
        bool listsLogitsApart = !batch.IsDecode && hostLogits + batch.RowCount > _layout.RowCapacity;
        foreach ((PageId from, PageId to) in batch.Copies)
            _runner.CopyPage(from.Index, to.Index);
        int firstList = graph != 0 && _writer.Continues(batch) ? 0 : Upload(batch, sequence, listsLogitsApart);
        _masks.Upload(batch, sequence);
        if (graph != 0)
            Interop.Cuda.Check(Interop.Cuda.cuGraphLaunch(graph, _stream.Handle));
        else
            _runner.Run(_writer.Shape);

        if (graph == 0 && step.LogprobDraws > 0)
            _logProbabilities.QueueDrawn(_writer.Shape.LogitRows);
        _copies.Queue(batch, step, hostLogits, listsLogitsApart ? firstList : -1);
        // Last: a prompt's rows of logits take the place of those that the host copies.
        if (step.LogprobRecords > 0)
            _logProbabilities.QueuePrompts(_writer.LogProbabilities, sequence);
        _begun++;
    }

    /// <inheritdoc/>
    public StepOutput Complete()
    {
        if (_begun == _completed)
            throw new InvalidOperationException("No step is in flight.");
        if (_hang is not null)
            throw _hang;

        _device.MakeCurrent();
        PendingStep step = _steps[_completed % _steps.Length];
        if (step.HasCopies)
            WaitForEvent(step);

        for (int row = 0; row < step.RowCount; row++)
        {
            if (step.SampledRows[row])
                WaitForStamp(ref MemoryMarshal.Cast<int, uint>(CudaStepOutput.Record(_records, _layout.RowCapacity, step.Sequence, row))[1], step.Sequence);
        }

        for (int index = 0; index < step.LogprobRecords; index++)
            WaitForStamp(ref _logProbabilities.Stamp(step.Sequence, index), step.Sequence);

        _output.Show(step);
        _completed++;
        return _output;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Freeing what a running kernel uses would wait for it.
        if (_hang is not null)
            return;

        _device.MakeCurrent();
        _graphs?.Dispose();
        _persistent?.Dispose();
        foreach (PendingStep step in _steps)
            step.Dispose();
        _writer.Dispose();
        _slots.Dispose();
        _stream.Dispose();
        _records.Dispose();
        _logProbabilities.Dispose();
        _masks.Dispose();
        _kernels.Dispose();
        _arena.Dispose();
    }

    private static void Tell(CudaExecutorOptions options, string phase, ref long since)
    {
        long now = Stopwatch.GetTimestamp();
        options.Phase?.Invoke(phase, Stopwatch.GetElapsedTime(since, now));
        since = now;
    }

    private static DeviceMemory MemoryOf(CudaDevice device, long ownBytes)
    {
        (long free, long total) = device.Memory();
        return new DeviceMemory(device.Name, total, free, ownBytes);
    }

    private static ILogitsProcessor[] DeviceProcessors(CudaExecutorOptions options) => [.. options.Processors.Where(processor => processor.Device is not null)];

    // In the order of their index.
    private static ISampler[] DeviceSamplers(CudaExecutorOptions options) => [.. options.Samplers.Where(sampler => sampler.Device is not null)];

    // Returns where the lists of logits begin, if there are any.
    private int Upload(StepBatch batch, uint sequence, bool listsLogitsApart)
    {
        int buffer = (int)(sequence % _steps.Length);
        _writer.Write(batch, buffer, sequence, listsLogitsApart);
        int firstList = listsLogitsApart ? _writer.AppendLogitLists(batch, buffer) : 0;
        Interop.Cuda.Check(Interop.Cuda.cuMemcpyHtoDAsync(
            _buffers.Step, _writer.Address(buffer), (nuint)_writer.WrittenInts * sizeof(int), _stream.Handle));
        return firstList;
    }

    private void WaitForEvent(PendingStep step)
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            CuResult result = Interop.Cuda.cuEventQuery(step.Done.Value);
            if (result == CuResult.CUDA_SUCCESS)
                return;

            if (result != CuResult.CUDA_ERROR_NOT_READY)
                Interop.Cuda.Check(result, "a kernel of the step");
            ThrowIfHung(started);
            Thread.SpinWait(20);
        }
    }

    private void WaitForStamp(ref uint stamp, uint sequence)
    {
        // Asking the driver costs microseconds and is needed only when a kernel has failed.
        const int SpinsPerQuery = 4096;
        long started = Stopwatch.GetTimestamp();
        for (int spins = 1; Volatile.Read(ref stamp) != sequence; spins++)
        {
            if (spins % SpinsPerQuery == 0)
            {
                _stream.ThrowIfFailed(_persistent?.Failure);
                ThrowIfHung(started);
            }

            Thread.SpinWait(5);
        }
    }

    private void ThrowIfHung(long waitingSince)
    {
        if (_hang is null && Stopwatch.GetElapsedTime(waitingSince) > _stepTimeout)
            _hang = new CudaTimeoutException(_stepTimeout, _slots.SamplersInUse);
        if (_hang is not null)
            throw _hang;
    }
}
