using Ernie.Cpu.Linear;
using Ernie.Cpu.Operations;
using Ernie.Graph;

namespace Ernie.Cpu.Compilation;

/// <summary>The linear layers of a graph, from the operation that writes their input to the last that reads it.</summary>
internal sealed class LinearLayers(ModelGraph graph, WeightStore weights, CpuResources resources)
{
    private readonly Dictionary<LinearNode, PreparedLayer> _layers = new(ReferenceEqualityComparer.Instance);

    /// <summary>A layer that <see cref="Consumers"/> has made, and what it reads instead of its input, if anything.</summary>
    internal (LinearLayer Layer, QuantizedActivations? Activations) this[LinearNode node] => (_layers[node].Layer, _layers[node].Activations);

    /// <summary>Makes the linear layers that read a value: those that prepare it in the same way share the prepared form.</summary>
    /// <param name="value">The value; once for each.</param>
    /// <param name="prepared">The memory of the prepared forms.</param>
    internal LinearConsumers Consumers(ValueId value, out object[] prepared)
    {
        var preparations = new Dictionary<(int BlockLength, int Bias), PreparedLayer>();
        foreach (LinearNode node in graph.Nodes.OfType<LinearNode>().Where(node => node.Input == value))
        {
            PackedMatrix? packed = resources.ActivationPrecision == ActivationPrecision.Quantized ? weights.TryPack(node.Weight) : null;
            if (packed is null)
            {
                _layers.Add(node, new PreparedLayer(new FloatLinear(weights.Matrix(node.Weight), resources.Widened), null, new UserCount()));
                continue;
            }

            (int, int) key = (packed.BlockLength, packed.Bias);
            preparations.TryGetValue(key, out PreparedLayer? shared);
            QuantizedActivations activations = shared?.Activations ?? resources.Pool.TakeActivations();
            UserCount users = shared?.Users ?? new UserCount();
            users.Count++;
            var layer = new PreparedLayer(new IntegerLinear(packed, resources.Kernel, activations, resources.Unpacked), activations, users);
            preparations.TryAdd(key, layer);
            _layers.Add(node, layer);
        }

        prepared = [.. preparations.Values.Select(layer => (object)layer.Activations!)];
        return new LinearConsumers([.. preparations.Values.Select(layer => layer.Layer)]);
    }

    /// <summary>Gives back what a layer read that has run, unless another will read it.</summary>
    internal void Release(LinearNode node)
    {
        if (_layers.Remove(node, out PreparedLayer? layer) && --layer.Users.Count == 0 && layer.Activations is { } activations)
            resources.Pool.Return(activations);
    }

    private sealed record PreparedLayer(LinearLayer Layer, QuantizedActivations? Activations, UserCount Users);

    private sealed class UserCount
    {
        internal int Count { get; set; }
    }
}
