using Ernie.Cpu.Attention;
using Ernie.Cpu.Compilation;
using Ernie.Cpu.Linear;
using Ernie.Cpu.Operations;
using Ernie.Cpu.Threading;
using Ernie.Execution;
using Ernie.Graph;
using Ernie.Weights;

namespace Ernie.Cpu;

/// <summary>Runs a model graph on the processor. The thread that calls <see cref="Begin"/> works too, and the step is finished when it returns.</summary>
public sealed unsafe class CpuExecutor : IExecutor
{
    private const int TokensPerPage = 64;

    private readonly WorkerTeam _team;
    private readonly CpuResources _resources;
    private readonly WeightStore _weights;
    private readonly CpuStepOutput _output;
    private readonly SliceState _slice;
    private readonly RowStorage _logits;
    private readonly RowStorage _collected;
    private readonly ValueBuffer _hidden;
    private readonly CompiledProgram _tokens;
    private readonly CompiledProgram _logitRows;
    private readonly int _sliceTokens;
    private readonly int[] _sliceRow;
    private readonly int[] _sliceIndex;
    private bool _inFlight;

    /// <summary>Loads and repacks the weights and compiles the graph.</summary>
    /// <param name="graph">The model, after the shared passes.</param>
    /// <param name="checkpoint">Its weights; stays the caller's and must live as long as the executor.</param>
    /// <param name="options">Threads, precisions and limits.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="NotSupportedException">The graph holds what the CPU backend does not run.</exception>
    /// <exception cref="WeightFormatException">The checkpoint does not fit the graph.</exception>
    public CpuExecutor(ModelGraph graph, Checkpoint checkpoint, CpuOptions options)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        ModelShape shape = graph.Shape;
        int threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads;
        int maxModelLength = options.MaxModelLength == 0 ? shape.MaxPosition : options.MaxModelLength;
        if (maxModelLength > shape.MaxPosition)
            throw new ArgumentOutOfRangeException(nameof(options), maxModelLength, $"{nameof(CpuOptions.MaxModelLength)} is beyond the model's {shape.MaxPosition} positions.");
        TileKernel kernel = (options.Features ?? CpuFeatures.Detect()).SelectKernel();
        _sliceTokens = Math.Min(options.SliceTokens, options.MaxBatchedTokens);
        Info = new ExecutorInfo
        {
            Device = $"CPU ({threads} threads, {kernel.Name})",
            VocabularySize = shape.VocabularySize,
            PageCount = PagesFor(shape, options, maxModelLength),
            TokensPerPage = TokensPerPage,
            MaxSequences = options.MaxSequences,
            MaxBatchedTokens = options.MaxBatchedTokens,
            MaxModelLength = maxModelLength,
            HiddenSize = shape.HiddenSize,
            CopiesPages = true,
        };
        _resources = new CpuResources(graph, options, kernel, threads, _sliceTokens, maxModelLength, Info.PageCount);
        _weights = new WeightStore(graph, checkpoint, options);
        _team = new WorkerTeam(threads, options.PinThreads && threads == Environment.ProcessorCount);
        try
        {
            var compiler = new GraphCompiler(graph, _weights, _resources);
            (IReadOnlyList<Operation> tokens, IReadOnlyList<Operation> logitRows) = compiler.Compile();
            _slice = new SliceState(_sliceTokens);
            _tokens = new CompiledProgram(tokens, _slice, _team);
            _logitRows = new CompiledProgram(logitRows, _slice, _team);
            _logits = compiler.Logits;
            _collected = compiler.Collected;
            _hidden = compiler.Hidden;
            WeightBytes = compiler.WeightBytes;
        }
        catch
        {
            _team.Dispose();
            _weights.Dispose();
            _resources.Dispose();
            throw;
        }

        _output = new CpuStepOutput(options.MaxSequences, shape.VocabularySize, _logits.Stride, shape.HiddenSize, _collected.Stride);
        _sliceRow = new int[_sliceTokens];
        _sliceIndex = new int[_sliceTokens];
    }

    /// <inheritdoc/>
    public ExecutorInfo Info { get; }

    /// <summary>None: the logits are in the caller's memory, and the caller draws.</summary>
    public IDeviceSampling? Sampling => null;

    /// <summary>Bytes of linear weights that a step of one token reads.</summary>
    public long WeightBytes { get; }

    /// <inheritdoc/>
    public void Begin(StepBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (_inFlight)
            throw new InvalidOperationException("A step has begun and not been completed.");
        ArgumentOutOfRangeException.ThrowIfLessThan(batch.RowCount, 1, nameof(batch));
        Check(batch);
        CopyPages(batch);
        _output.Begin(batch);
        _slice.PageTable = batch.PageTable;
        int row = 0, index = 0;
        while (row < batch.RowCount)
        {
            FillSlice(batch, ref row, ref index);
            _resources.AttentionPlan.Build(_slice);
            _tokens.Run();
            for (int token = 0; token < _slice.Count; token++)
                _output.Collect(batch, _sliceRow[token], _sliceIndex[token], _hidden.Row(token));
        }

        for (int first = 0; first < _output.LogitRows; first += _sliceTokens)
        {
            _slice.SetCount(Math.Min(_sliceTokens, _output.LogitRows - first));
            _collected.Pointer = _output.CollectedPointer + ((long)first * _output.HiddenStride);
            _logits.Pointer = _output.LogitPointer + ((long)first * _output.LogitStride);
            _logitRows.Run();
        }

        _inFlight = true;
    }

    /// <inheritdoc/>
    public StepOutput Complete()
    {
        if (!_inFlight)
            throw new InvalidOperationException("No step is in flight.");
        _inFlight = false;
        return _output;
    }

    /// <summary>Ends the workers and frees weights and pages.</summary>
    public void Dispose()
    {
        _team.Dispose();
        _output.Dispose();
        _weights.Dispose();
        _resources.Dispose();
    }

    private static int PagesFor(ModelShape shape, CpuOptions options, int maxModelLength)
    {
        int perSequence = (maxModelLength + TokensPerPage - 1) / TokensPerPage;
        long pageBytes = options.EffectiveCachePrecision.PageBytes(shape);
        long pages = options.PageCount > 0 ? options.PageCount : Math.Min(options.CacheBytes / pageBytes, (long)perSequence * options.MaxSequences);
        if (pages < 1)
            throw new ArgumentOutOfRangeException(nameof(options), options.CacheBytes, $"{nameof(CpuOptions.CacheBytes)} holds no page; one takes {pageBytes} bytes.");
        return (int)Math.Min(pages, int.MaxValue / TokensPerPage);
    }

    private void CopyPages(StepBatch batch)
    {
        foreach ((Caching.PageId from, Caching.PageId to) in batch.Copies)
        {
            foreach (IPageStore pages in _resources.PageStores)
                pages.Copy(from.Index, to.Index);
        }
    }

    private void FillSlice(StepBatch batch, ref int row, ref int index)
    {
        int count = 0, segments = 0;
        while (row < batch.RowCount && count < _sliceTokens)
        {
            int take = Math.Min(batch.Count[row] - index, _sliceTokens - count);
            _slice.SegmentFirstToken[segments] = count;
            _slice.SegmentCount[segments] = take;
            _slice.SegmentPageRow[segments] = batch.Slot[row] * batch.MaxPagesPerSequence;
            for (int i = 0; i < take; i++)
            {
                _slice.Tokens[count + i] = batch.Tokens[batch.TokenOffset[row] + index + i];
                _slice.Position[count + i] = batch.Start[row] + index + i;
                _slice.Segment[count + i] = segments;
                _sliceRow[count + i] = row;
                _sliceIndex[count + i] = index + i;
            }

            count += take;
            segments++;
            index += take;
            if (index == batch.Count[row])
            {
                row++;
                index = 0;
            }
        }

        _slice.Segments = segments;
        _slice.SetCount(count);
    }

    // Kernels work on raw memory: whatever could reach outside it is refused here.
    private void Check(StepBatch batch)
    {
        for (int row = 0; row < batch.RowCount; row++)
        {
            int end = batch.Start[row] + batch.Count[row];
            if (batch.Start[row] < 0 || batch.Count[row] < 1 || end > Info.MaxModelLength)
                throw new ArgumentOutOfRangeException(nameof(batch), end, $"Row {row} covers positions {batch.Start[row]} to {end}; the executor holds {Info.MaxModelLength}.");
            if (batch.LogitCount[row] < 0 || batch.LogitCount[row] > batch.Count[row])
                throw new ArgumentOutOfRangeException(nameof(batch), batch.LogitCount[row], $"Row {row} has {batch.Count[row]} tokens and wants that many vectors of logits.");
            foreach (int token in batch.Tokens.AsSpan(batch.TokenOffset[row], batch.Count[row]))
            {
                if ((uint)token >= (uint)Info.VocabularySize)
                    throw new ArgumentOutOfRangeException(nameof(batch), token, $"Row {row} holds a token outside the vocabulary of {Info.VocabularySize}.");
            }

            int pages = (end + TokensPerPage - 1) / TokensPerPage;
            foreach (Caching.PageId page in batch.PageTable.AsSpan(batch.Slot[row] * batch.MaxPagesPerSequence, pages))
            {
                if ((uint)page.Index >= (uint)Info.PageCount)
                    throw new ArgumentOutOfRangeException(nameof(batch), page.Index, $"Row {row} names a page outside the pool of {Info.PageCount}.");
            }
        }
    }
}
