using Ernie.Cuda.Compilation;
using Ernie.Cuda.Memory;
using Ernie.Graph;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>Queues the launches of a step, as the plan's program lists them. The same code is captured into graphs and run directly.</summary>
internal sealed class ModelRunner
{
    private readonly KernelPlan _plan;
    private readonly KernelLibrary _kernels;
    private readonly DeviceBuffers _buffers;
    private readonly KeyValuePool _pool;
    private readonly StepLayout _layout;
    private readonly SlotTableArguments _slots;
    private readonly ulong _records;
    private readonly nint _stream;
    private readonly bool _overlaps;
    private readonly BoundRange[] _body;
    private readonly BoundRange[] _head;

    public ModelRunner(
        KernelPlan plan, KernelLibrary kernels, DeviceWeights weights, DeviceBuffers buffers, KeyValuePool pool, StepLayout layout,
        SlotTableArguments slots, ulong records, CudaStream stream, bool usesDependentLaunch)
    {
        _plan = plan;
        _kernels = kernels;
        _buffers = buffers;
        _pool = pool;
        _layout = layout;
        _slots = slots;
        _records = records;
        _stream = stream.Handle;
        _overlaps = usesDependentLaunch && plan.Device.Architecture.HasDependentLaunch;
        ProgramBinder binder = new(plan, kernels, weights, buffers, pool, layout, _overlaps);
        _body = binder.Bind(plan.Program.Ranges);
        _head = binder.Bind(plan.Program.Head);
    }

    // Chunks that fill a large tile.
    private const int FewPromptRows = 64;

    /// <summary>Whether kernels may start before their predecessor has ended.</summary>
    public bool Overlaps => _overlaps;

    private ModelShape Shape => _plan.Shape;

    private ulong LogitCount => _buffers.Step + (2 * sizeof(int));

    private ulong LogitTokens => Address(_layout.LogitTokenOffset);

    /// <summary>Queues a step whose input lies in the step buffer.</summary>
    public void Run(in StepShape step)
    {
        StepCounts counts = new(step.Tokens, step.DecodeRows, step.PrefillTiles, step.WantsHidden);
        BoundRange.Queue(_body, step.Tokens, counts, new StepAddresses(Address(step.TilesOffset), LogitTokens, LogitCount), _stream);
        if (step.LogitRows > 0)
            Head(step.LogitRows, LogitTokens, LogitCount);
        Sample(Math.Max(step.LogitRows, 1));
    }

    /// <summary>Queues a decoding step of one row by the persistent kernel.</summary>
    public void RunPersistent(PersistentStep persistent)
    {
        persistent.Launch(_stream);
        Sample(1);
    }

    /// <summary>Queues a copy of a page, behind all that was queued before and ahead of all that comes.</summary>
    public void CopyPage(int from, int to)
    {
        (CopyPageArguments elements, CopyPageArguments? factors) = _pool.Copy(from, to);
        _kernels[_plan.CopyPage].Launch(_stream, 2 * Shape.LayerCount, 1, 1, elements, overlapsPrevious: false);
        if (factors is { } arguments)
            _kernels[_plan.CopyPage].Launch(_stream, 2 * Shape.LayerCount, 1, 1, arguments, overlapsPrevious: false);
    }

    /// <summary>Queues the head for a chunk of a prompt, by the kernel of steps that multiply many rows: its chunks follow each other.</summary>
    /// <param name="rows">Most tokens.</param>
    /// <param name="tokens">Device address of the tokens' indices in the batch.</param>
    /// <param name="count">Device address of their number.</param>
    public void PromptHead(int rows, ulong tokens, ulong count) => Head(rows, tokens, count, sizedFor: rows > FewPromptRows ? int.MaxValue : rows);

    /// <summary>Queues the head for tokens that are listed elsewhere than in the step's rows.</summary>
    /// <param name="rows">Most tokens.</param>
    /// <param name="tokens">Device address of the tokens' indices in the batch.</param>
    /// <param name="count">Device address of their number.</param>
    /// <param name="sizedFor">Tokens for which the kernel is chosen; 0 for as many as there are.</param>
    public void Head(int rows, ulong tokens, ulong count, int sizedFor = 0) =>
        BoundRange.Queue(_head, sizedFor > 0 ? sizedFor : rows, new StepCounts(rows, 0, 0), new StepAddresses(0, tokens, count), _stream);

    private ulong Address(int stepOffset) => _buffers.Step + (sizeof(int) * (ulong)stepOffset);

    private void Sample(int rows)
    {
        SampleArguments arguments = new()
        {
            Header = _buffers.Step,
            Logits = _buffers.Logits,
            Tables = _slots,
            Records = _records,
            Arrivals = _buffers.SampleArrivals,
            Channels = _buffers.SampleChannels,
            Kept = _buffers.KeptLogits,
            IsKept = _buffers.IsKept,
            LogitStride = Shape.VocabularySize,
            RowCapacity = _layout.RowCapacity,
        };
        _kernels[_plan.Sample].Launch(_stream, _plan.SampleBlocks(rows), rows, 1, arguments, _overlaps);
    }
}
