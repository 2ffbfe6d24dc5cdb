using Ernie.Cpu.Attention;
using Ernie.Cpu.Linear;
using Ernie.Cpu.Memory;
using Ernie.Cpu.Operations;
using Ernie.Graph;

namespace Ernie.Cpu.Compilation;

/// <summary>
/// Turns a graph into two programs: one for tokens, up to the final norm, and one for the rows whose logits are wanted. Every value gets memory that
/// is used again when its last reader has run.
/// </summary>
internal sealed class GraphCompiler
{
    private readonly ModelGraph _graph;
    private readonly WeightStore _weights;
    private readonly CpuResources _resources;
    private readonly BufferPool _pool;
    private readonly Dictionary<ValueId, ValueBuffer> _buffers = [];
    private readonly LinearLayers _layers;
    private readonly Dictionary<RopeParameters, RopeTable> _ropeTables;
    private readonly Dictionary<RowStorage, int> _lastUse = new(ReferenceEqualityComparer.Instance);
    private readonly List<Operation> _tokenOperations = [];
    private readonly List<Operation> _logitOperations = [];
    private List<Operation> _operations;

    /// <param name="graph">The graph after the shared passes (or before: any mixture runs).</param>
    /// <param name="weights">Where weights come from.</param>
    /// <param name="resources">What operations share.</param>
    internal GraphCompiler(ModelGraph graph, WeightStore weights, CpuResources resources)
    {
        _graph = graph;
        _weights = weights;
        _resources = resources;
        _pool = resources.Pool;
        _layers = new LinearLayers(graph, weights, resources);
        _ropeTables = resources.RopeTables;
        _operations = _tokenOperations;
        Logits = new RowStorage(graph[graph.Logits].Width);
        Collected = new RowStorage(graph[graph.Hidden].Width);
    }

    /// <summary>Where logits go; the executor points it at its own memory.</summary>
    internal RowStorage Logits { get; }

    /// <summary>Where the hidden states of wanted rows come from; the executor points it at its own memory.</summary>
    internal RowStorage Collected { get; }

    /// <summary>Final hidden states of the slice; never reused.</summary>
    internal ValueBuffer Hidden => _buffers[_graph.Hidden];

    /// <summary>Bytes of linear weights that a step of one token reads.</summary>
    internal long WeightBytes { get; private set; }

    /// <summary>Compiles.</summary>
    /// <returns>The program for tokens and the program for logit rows.</returns>
    /// <exception cref="NotSupportedException">The graph holds an operation that the CPU backend does not run.</exception>
    internal (IReadOnlyList<Operation> Tokens, IReadOnlyList<Operation> LogitRows) Compile()
    {
        Dictionary<ValueId, int> lastUse = FindLastUses();
        for (int index = 0; index < _graph.Nodes.Length; index++)
        {
            GraphNode node = _graph.Nodes[index];
            CompileNode(node);
            foreach (ValueId output in node.Outputs)
            {
                if (_buffers.TryGetValue(output, out ValueBuffer? buffer))
                    _lastUse[buffer.Storage] = Math.Max(_lastUse.GetValueOrDefault(buffer.Storage), lastUse[output]);
            }

            Release(node, index);
        }

        return (_tokenOperations, _logitOperations);
    }

    private Dictionary<ValueId, int> FindLastUses()
    {
        var lastUse = new Dictionary<ValueId, int>();
        for (int index = 0; index < _graph.Nodes.Length; index++)
        {
            foreach (ValueId value in _graph.Nodes[index].Inputs.Concat(_graph.Nodes[index].Outputs))
                lastUse[value] = index;
        }

        // The executor reads these after the programs.
        lastUse[_graph.Hidden] = int.MaxValue;
        lastUse[_graph.Logits] = int.MaxValue;
        return lastUse;
    }

    private void Release(GraphNode node, int index)
    {
        foreach (RowStorage storage in _lastUse.Where(pair => pair.Value == index).Select(pair => pair.Key).ToArray())
        {
            _lastUse.Remove(storage);
            _pool.Return(storage);
        }

        if (node is LinearNode linear)
            _layers.Release(linear);
    }

    private void CompileNode(GraphNode node)
    {
        switch (node)
        {
            case EmbedNode embed:
            {
                ValueBuffer output = Define(embed.Output);
                LinearConsumers consumers = _layers.Consumers(embed.Output, out object[] prepared);
                _operations.Add(new EmbedOperation(_weights.Table(embed.Table), output, consumers) { Reads = [], Writes = [output.Storage, .. prepared] });
                break;
            }

            case RmsNormNode norm:
                CompileNorm(norm.Input, null, null, norm.Output, norm.Weight, norm.Epsilon);
                break;
            case AddRmsNormNode norm:
                CompileNorm(norm.Left, norm.Right, norm.Sum, norm.Normalized, norm.Weight, norm.Epsilon);
                break;
            case AddNode add:
            {
                ValueBuffer left = _buffers[add.Left], right = _buffers[add.Right], output = Define(add.Output);
                LinearConsumers consumers = _layers.Consumers(add.Output, out object[] prepared);
                _operations.Add(new AddOperation(left, right, output, consumers) { Reads = [left.Storage, right.Storage], Writes = [output.Storage, .. prepared] });
                break;
            }

            case SwiGluNode swiGlu:
            {
                ValueBuffer gate = _buffers[swiGlu.Gate], up = _buffers[swiGlu.Up], output = Define(swiGlu.Output);
                LinearConsumers consumers = _layers.Consumers(swiGlu.Output, out object[] prepared);
                _operations.Add(new SwiGluOperation(gate, up, output, consumers) { Reads = [gate.Storage, up.Storage], Writes = [output.Storage, .. prepared] });
                break;
            }

            case SliceNode slice:
            {
                ValueBuffer input = _buffers[slice.Input];
                var view = new ValueBuffer(input.Storage, input.ColumnOffset + slice.Start, slice.Width);
                _buffers.Add(slice.Output, view);
                AddPreparation(slice.Output, view);
                break;
            }

            case RopeTableNode:
                // Tables are made for the executor's own length when the first rotation asks.
                break;
            case RopeNode rope:
            {
                ValueBuffer input = _buffers[rope.Input], output = Define(rope.Output);
                LinearConsumers consumers = _layers.Consumers(rope.Output, out object[] prepared);
                if (!_ropeTables.TryGetValue(rope.Parameters, out RopeTable? table))
                    _ropeTables.Add(rope.Parameters, table = new RopeTable(rope.Parameters, _resources.MaxModelLength));
                _operations.Add(new RopeOperation(input, output, rope, table, consumers) { Reads = [input.Storage], Writes = [output.Storage, .. prepared] });
                break;
            }

            case HeadNormNode norm:
            {
                ValueBuffer input = _buffers[norm.Input], output = Define(norm.Output);
                LinearConsumers consumers = _layers.Consumers(norm.Output, out object[] prepared);
                _operations.Add(new HeadNormOperation(input, output, norm.Heads, _weights.Vector(norm.Weight), norm.Epsilon, consumers)
                {
                    Reads = [input.Storage],
                    Writes = [output.Storage, .. prepared],
                });
                break;
            }

            case AttentionNode attention:
                CompileAttention(attention);
                break;
            case SelectLogitRowsNode select:
            {
                if (select.Input != _graph.Hidden)
                    throw new NotSupportedException("The CPU backend takes logits from the final hidden states only.");
                _operations = _logitOperations;
                ValueBuffer output = Define(select.Output);
                LinearConsumers consumers = _layers.Consumers(select.Output, out object[] prepared);
                _operations.Add(new GatherOperation(Collected, output, consumers) { Reads = [], Writes = [output.Storage, .. prepared] });
                break;
            }

            case LinearNode linear:
                CompileLinear(linear);
                break;
            default:
                throw new NotSupportedException($"The CPU backend does not run {node.GetType().Name} yet: mixtures of experts and parts of models are built and verified only.");
        }
    }

    private void CompileNorm(ValueId left, ValueId? right, ValueId? sum, ValueId normalized, TensorReference weight, double epsilon)
    {
        ValueBuffer leftBuffer = _buffers[left];
        ValueBuffer? rightBuffer = right is { } r ? _buffers[r] : null;
        ValueBuffer? sumBuffer = sum is { } s ? Define(s) : null;
        ValueBuffer output = Define(normalized);
        object[] sumPrepared = [];
        LinearConsumers sumConsumers = sum is { } value ? _layers.Consumers(value, out sumPrepared) : new LinearConsumers([]);
        LinearConsumers consumers = _layers.Consumers(normalized, out object[] prepared);
        object[] reads = rightBuffer is null ? [leftBuffer.Storage] : [leftBuffer.Storage, rightBuffer.Storage];
        object[] writes = sumBuffer is null ? [output.Storage, .. prepared] : [sumBuffer.Storage, output.Storage, .. sumPrepared, .. prepared];
        _operations.Add(new RmsNormOperation(leftBuffer, rightBuffer, sumBuffer, output, _weights.Vector(weight), epsilon, sumConsumers, consumers) { Reads = reads, Writes = writes });
    }

    private void CompileLinear(LinearNode node)
    {
        (LinearLayer layer, QuantizedActivations? activations) = _layers[node];
        ValueBuffer input = _buffers[node.Input];
        ValueBuffer output = node.Output == _graph.Logits ? new ValueBuffer(Logits, 0, _graph[node.Output].Width) : Define(node.Output);
        _buffers.TryAdd(node.Output, output);
        WeightBytes += layer.ByteLength;
        _operations.Add(new LinearOperation(layer, input, output) { Reads = [activations ?? (object)input.Storage], Writes = [output.Storage] });
        AddPreparation(node.Output, output);
    }

    private void CompileAttention(AttentionNode node)
    {
        if (_graph.Shape.HeadDim != node.HeadDim || node.HeadDim % 32 != 0)
            throw new NotSupportedException($"Attention with heads of {node.HeadDim}; the CPU kernels need a multiple of 32, the same in every layer.");
        switch (_resources.CachePrecision)
        {
            case CachePrecision.BFloat16:
                CompileAttention<ushort, BFloat16Element>(node);
                break;
            case CachePrecision.Full:
                CompileAttention<float, FloatElement>(node);
                break;
            case CachePrecision.Float8:
                CompileAttention<byte, Float8Element>(node);
                break;
            case CachePrecision.Integer8:
                CompileAttention<sbyte, Integer8Element>(node);
                break;
        }
    }

    private void CompileAttention<TElement, TFormat>(AttentionNode node)
        where TElement : unmanaged
        where TFormat : ICacheElement<TElement>
    {
        ValueBuffer query = _buffers[node.Query], key = _buffers[node.Key], value = _buffers[node.Value], output = Define(node.Output);
        var pages = new KeyValuePages<TElement>(_resources.PageCount, node.KeyValueHeads, node.HeadDim, TFormat.LargestCode > 0);
        _resources.Owned.Add(pages);
        _resources.PageStores.Add(pages);
        AttentionPlan plan = _resources.AttentionPlan;
        _operations.Add(new StoreOperation<TElement, TFormat>(key, value, node.KeyValueHeads, pages) { Reads = [key.Storage, value.Storage], Writes = [pages] });
        LinearConsumers consumers = _layers.Consumers(node.Output, out object[] prepared);

        // A unit of attention writes the columns of one key/value head: whole blocks of the layers that follow, in every model that the graph builder makes.
        bool wholeBlocks = consumers.BlocksDivide(_graph.Shape.QueryHeadsPerKeyValueHead * node.HeadDim);
        LinearConsumers preparing = wholeBlocks ? consumers : new LinearConsumers([]);
        object[] preparedHere = wholeBlocks ? prepared : [];
        _operations.Add(new AttendOperation<TElement, TFormat>(
            query, output, pages, plan, _resources.WorkerScratch, _resources.PartialScratch, node.Scale, preparing)
        {
            Reads = [query.Storage, pages],
            Writes = [output.Storage, _resources.PartialScratch, .. preparedHere],
        });
        _operations.Add(new MergeOperation(output, node.HeadDim, plan, _resources.PartialScratch, preparing)
        {
            Reads = [_resources.PartialScratch],
            Writes = [output.Storage, .. preparedHere],
        });
        if (!wholeBlocks)
            AddPreparation(output, consumers, prepared);
    }

    private ValueBuffer Define(ValueId value)
    {
        int width = _graph[value].Width;
        var buffer = new ValueBuffer(_pool.TakeRows(width), 0, width);
        _buffers.Add(value, buffer);
        return buffer;
    }

    // For operations that write strips of columns, or nothing at all (views).
    private void AddPreparation(ValueId value, ValueBuffer buffer)
    {
        LinearConsumers consumers = _layers.Consumers(value, out object[] prepared);
        AddPreparation(buffer, consumers, prepared);
    }

    private void AddPreparation(ValueBuffer buffer, LinearConsumers consumers, object[] prepared)
    {
        if (prepared.Length > 0)
            _operations.Add(new PrepareOperation(buffer, consumers) { Reads = [buffer.Storage], Writes = prepared });
    }
}
