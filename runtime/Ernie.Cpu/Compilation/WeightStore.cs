using Ernie.Cpu.Linear;
using Ernie.Cpu.Memory;
using Ernie.Graph;
using Ernie.Weights;

namespace Ernie.Cpu.Compilation;

/// <summary>Loads what a graph reads from a checkpoint, each weight once, and owns it.</summary>
internal sealed class WeightStore : IDisposable
{
    private readonly WeightLoader _loader;
    private readonly Dictionary<(string Parts, WeightEncoding Encoding), WeightMatrix> _matrices = [];
    private readonly Dictionary<string, NativeBuffer<float>> _vectors = new(StringComparer.Ordinal);
    private readonly NativeArena _packed = new();
    private readonly Action<int, int>? _progress;
    private readonly int _total;
    private int _loaded;

    /// <param name="graph">What will be asked for.</param>
    /// <param name="checkpoint">Where it comes from.</param>
    /// <param name="options">Layout, threads and progress.</param>
    internal WeightStore(ModelGraph graph, Checkpoint checkpoint, CpuOptions options)
    {
        int threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads;
        _loader = new WeightLoader(checkpoint, options.Layout) { MaxDegreeOfParallelism = threads };
        _progress = options.Progress;
        _total = graph.Linears.Count() + graph.Nodes.OfType<EmbedNode>().Count();
    }

    /// <summary>The embedding table.</summary>
    internal Bf16Matrix Table(TensorReference table) => (Bf16Matrix)Load(new LinearWeight(table, WeightRole.Head), keep: true);

    /// <summary>A vector as f32.</summary>
    internal NativeBuffer<float> Vector(TensorReference vector)
    {
        if (_vectors.TryGetValue(vector.Name, out NativeBuffer<float>? buffer))
            return buffer;
        float[] values = _loader.LoadVector(vector);
        buffer = new NativeBuffer<float>(values.Length);
        values.CopyTo(buffer.Span(0, values.Length));
        _vectors.Add(vector.Name, buffer);
        return buffer;
    }

    /// <summary>A linear weight as it is defined.</summary>
    internal WeightMatrix Matrix(LinearWeight weight) => Load(weight, keep: true);

    /// <summary>A linear weight repacked for the integer kernels; null when they do not support it.</summary>
    internal PackedMatrix? TryPack(LinearWeight weight)
    {
        if (!PackedMatrix.Supports(weight))
            return null;
        using WeightMatrix matrix = Load(weight, keep: false);
        return PackedMatrix.Pack(matrix, _packed);
    }

    public void Dispose()
    {
        foreach (WeightMatrix matrix in _matrices.Values)
            matrix.Dispose();
        foreach (NativeBuffer<float> vector in _vectors.Values)
            vector.Dispose();
        _packed.Dispose();
    }

    private WeightMatrix Load(LinearWeight weight, bool keep)
    {
        var key = (string.Join('\n', weight.Parts), weight.Encoding);
        if (!_matrices.TryGetValue(key, out WeightMatrix? matrix))
        {
            matrix = _loader.Load(weight);
            if (keep)
                _matrices.Add(key, matrix);
        }

        _progress?.Invoke(++_loaded, _total);
        return matrix;
    }
}
