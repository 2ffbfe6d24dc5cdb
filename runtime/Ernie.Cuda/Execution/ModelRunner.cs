using Ernie.Cuda.Compilation;
using Ernie.Cuda.Memory;
using Ernie.Graph;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>Queues the kernels of a step. The same code is captured into graphs and run directly.</summary>
internal sealed class ModelRunner
{
    private readonly KernelPlan _plan;
    private readonly KernelLibrary _kernels;
    private readonly DeviceWeights _weights;
    private readonly DeviceBuffers _buffers;
    private readonly KeyValuePool _pool;
    private readonly StepLayout _layout;
    private readonly SlotTableArguments _slots;
    private readonly ulong _records;
    private readonly nint _stream;
    private readonly bool _overlaps;
    private readonly int _headBlocks;
    private readonly LinearLauncher _linear;
    private readonly AttentionLauncher _attention;

    public ModelRunner(
        KernelPlan plan, KernelLibrary kernels, DeviceWeights weights, DeviceBuffers buffers, KeyValuePool pool, StepLayout layout,
        SlotTableArguments slots, ulong records, CudaStream stream, bool usesDependentLaunch)
    {
        _plan = plan;
        _kernels = kernels;
        _weights = weights;
        _buffers = buffers;
        _pool = pool;
        _layout = layout;
        _slots = slots;
        _records = records;
        _stream = stream.Handle;
        _overlaps = usesDependentLaunch && plan.Device.Architecture.HasDependentLaunch;
        _linear = new LinearLauncher(plan, kernels, buffers, layout, _stream, _overlaps);
        _attention = new AttentionLauncher(plan, kernels, buffers, pool, layout, _stream, _overlaps);
        _headBlocks = plan.Device.Multiprocessors * Math.Max(1, kernels[plan.Head.Decode].BlocksPerMultiprocessor());
    }

    // Chunks that fill a large tile.
    private const int FewPromptRows = 64;

    /// <summary>Whether kernels may start before their predecessor has ended.</summary>
    public bool Overlaps => _overlaps;

    private ModelShape Shape => _plan.Model.Shape;

    private ulong TokenCount => _buffers.TokenCount;

    private ulong LogitCount => _buffers.Step + (2 * sizeof(int));

    private ulong LogitTokens => Address(_layout.LogitTokenOffset);

    /// <summary>Queues a step whose input lies in the step buffer.</summary>
    public void Run(in StepShape step)
    {
        Embed(step.Tokens);
        for (int layer = 0; layer < Shape.LayerCount; layer++)
            RunLayer(layer, step);
        if (step.WantsHidden)
            Normalize(_weights.FinalNorm, step.Tokens, 0, TokenCount, 0, _buffers.Hidden);
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
    public void Head(int rows, ulong tokens, ulong count, int sizedFor = 0)
    {
        EpilogueArguments epilogue = new() { Output = _buffers.Logits, OutputStride = Shape.VocabularySize };
        if (rows <= LinearKernels.DecodeTokens)
        {
            _linear.Decode(_weights.Head, _buffers.Residual, _weights.FinalNorm, tokens, rows, count, epilogue, _headBlocks);
            return;
        }

        Normalize(_weights.FinalNorm, rows, tokens, count, _buffers.Normalized, 0);
        _linear.Tile(_weights.Head, rows, _buffers.Normalized, count, epilogue, sizedFor: sizedFor);
    }

    private ulong Address(int stepOffset) => _buffers.Step + (sizeof(int) * (ulong)stepOffset);

    private void Embed(int tokens)
    {
        EmbedArguments arguments = new()
        {
            Header = _buffers.Step,
            RowCapacity = _layout.RowCapacity,
            PageTable = _buffers.PageTable,
            LastToken = _slots.LastToken,
            Embedding = _weights.Embedding,
            Residual = _buffers.Residual,
            Places = _buffers.Places,
            Gain = PreparesNorms(tokens) ? _weights.Layers[0].InputNorm : 0,
            Prepared = ReadsCodes(tokens) ? 0 : _buffers.Normalized,
            Quantized = _buffers.NormalizedCodes,
            Squares = _buffers.Squares,
            SquareStride = _buffers.SquareStride,
        };
        // The first kernel of a step starts when all before it has ended: a copy may be among that.
        _kernels[_plan.Embed].Launch(_stream, tokens, 1, 1, arguments, overlapsPrevious: false);
    }

    private void RunLayer(int index, in StepShape step)
    {
        DeviceLayer layer = _weights.Layers[index];
        bool hasEightBitCache = _plan.Attention.Store is not null;
        EpilogueArguments toCache = new()
        {
            Query = _buffers.Query,
            Keys = hasEightBitCache ? _buffers.NewKeys : _pool.Keys(index),
            Values = hasEightBitCache ? _buffers.NewValues : _pool.Values(index),
            Rotations = _weights.Rotations,
            Places = _buffers.Places,
            PageTable = hasEightBitCache ? 0 : _buffers.PageTable,
            PagesPerSlot = _layout.PagesPerSlot,
        };
        EpilogueArguments toResidual = new() { Output = _buffers.Residual };
        EpilogueArguments toActivation = new() { Activation = _buffers.Activation };

        Normalized(layer.QueryKeyValue, layer.InputNorm, step.Tokens, toCache);
        _attention.Run(index, step, AttentionQuantizes(step));
        if (!AttentionQuantizes(step))
            Quantize(_plan.QuantizeAttention, _buffers.Attention, Shape.QueryWidth, step.Tokens);
        Linear(layer.Output, _buffers.Attention, step.Tokens, toResidual, layer.PostAttentionNorm);
        Normalized(layer.GateUp, layer.PostAttentionNorm, step.Tokens, toActivation);
        Quantize(_plan.QuantizeActivation, _buffers.Activation, Shape.IntermediateSize, step.Tokens);
        ulong nextNorm = index + 1 < Shape.LayerCount ? _weights.Layers[index + 1].InputNorm : 0;
        Linear(layer.Down, _buffers.Activation, step.Tokens, toResidual, nextNorm);
    }

    private void Normalized(DeviceLinear linear, ulong gain, int tokens, in EpilogueArguments epilogue)
    {
        if (tokens <= LinearKernels.DecodeTokens)
        {
            _linear.Decode(linear, _buffers.Residual, gain, 0, tokens, TokenCount, epilogue, int.MaxValue);
            return;
        }

        if (!PreparesNorms(tokens))
            Normalize(gain, tokens, 0, TokenCount, _buffers.Normalized, 0, ReadsCodes(tokens));
        _linear.Tile(linear, tokens, _buffers.Normalized, TokenCount, epilogue);
    }

    private bool PreparesNorms(int tokens) => tokens > LinearKernels.DecodeTokens && _plan.PreparesNorms(tokens);

    // Whether the layers' matrices multiply quantised inputs.
    private bool ReadsCodes(int tokens) => tokens > LinearKernels.DecodeTokens && _plan.QueryKeyValue.TileFor(tokens).ReadsCodes;

    // Decode attention leaves bf16, and a matrix takes all tokens in one form.
    private bool AttentionQuantizes(in StepShape step) => ReadsCodes(step.Tokens) && _plan.Attention.PrefillQuantizes && step.DecodeRows == 0;

    private void Quantize(KernelSpec? kernel, ulong input, int width, int tokens)
    {
        if (kernel is null || !ReadsCodes(tokens))
            return;

        QuantizeRowsArguments arguments = new() { Input = input, TokenCount = TokenCount, Output = _buffers.WideCodes };
        _kernels[kernel].Launch(_stream, KernelPlan.QuantizeBlocks(tokens, width), 1, 1, arguments, _overlaps);
    }

    private void Linear(DeviceLinear linear, ulong input, int tokens, in EpilogueArguments epilogue, ulong nextNorm)
    {
        if (tokens <= LinearKernels.DecodeTokens)
            _linear.Decode(linear, input, 0, 0, tokens, TokenCount, epilogue, int.MaxValue);
        else
            _linear.Tile(linear, tokens, input, TokenCount, epilogue, nextNorm);
    }

    private void Normalize(ulong gain, int rows, ulong rowList, ulong count, ulong output, ulong outputFloat, bool quantizes = false)
    {
        NormArguments arguments = new()
        {
            Input = _buffers.Residual,
            Gain = gain,
            Rows = rowList,
            RowCount = count,
            Output = quantizes ? 0 : output,
            OutputFloat = outputFloat,
            Quantized = _buffers.NormalizedCodes,
        };
        // Who reads codes and has no norm prepared finds that kernel in its plan.
        _kernels[quantizes ? _plan.NormalizeFloat8! : _plan.Normalize].Launch(_stream, rows, 1, 1, arguments, _overlaps);
    }

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
