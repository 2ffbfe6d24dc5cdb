using Ernie.PlainFiles;

namespace Ernie.Weights;

/// <summary>Tensors in one or more memory-mapped safetensors files.</summary>
public sealed unsafe class SafetensorsCheckpoint : Checkpoint
{
    private readonly List<MappedFile> _files = [];
    private readonly Dictionary<string, MappedTensor> _tensors = new(StringComparer.Ordinal);

    private SafetensorsCheckpoint(string source) => Source = source;

    /// <inheritdoc/>
    public override string Source { get; }

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Maps one file.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <exception cref="WeightFormatException">The file is absent, damaged or hostile.</exception>
    public static SafetensorsCheckpoint Open(string path)
    {
        var checkpoint = new SafetensorsCheckpoint(path);
        try
        {
            checkpoint.Add(path, shardOf: null);
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Maps the shards that an index names.</summary>
    /// <param name="indexPath">A <c>model.safetensors.index.json</c>; the shards lie beside it.</param>
    /// <exception cref="WeightFormatException">The index or a shard is absent, damaged or hostile, or they contradict each other.</exception>
    public static SafetensorsCheckpoint OpenSharded(string indexPath)
    {
        ShardIndex index = ShardIndex.Read(indexPath);
        var checkpoint = new SafetensorsCheckpoint(indexPath);
        try
        {
            string folder = Path.GetDirectoryName(Path.GetFullPath(indexPath)) ?? "";
            foreach (string shard in index.Shards)
            {
                string path = Path.Combine(folder, shard);
                if (!ModelFile.IsThere(path))
                    throw new WeightFormatException(indexPath, $"the shard '{shard}' is missing; it holds '{index.FirstTensorOf(shard)}'.");
                checkpoint.Add(path, index);
            }
            foreach ((string name, string shard) in index.ShardByTensor)
            {
                if (!checkpoint._tensors.ContainsKey(name))
                    throw new WeightFormatException(Path.Combine(folder, shard), $"'{name}' is missing; {Path.GetFileName(indexPath)} says that it is here.");
            }
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override CheckpointTensor? Find(string name, params ReadOnlySpan<long> shape) => _tensors.GetValueOrDefault(name);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (MappedFile file in _files)
                file.Dispose();
            _files.Clear();
        }
        base.Dispose(disposing);
    }

    private void Add(string path, ShardIndex? shardOf)
    {
        MappedFile file = MappedFile.Open(path);
        _files.Add(file);
        var lengthBytes = new ReadOnlySpan<byte>(file.Pointer, (int)Math.Min(file.Length, 8));
        long needed = SafetensorsHeader.BytesNeeded(path, lengthBytes, file.Length);
        SafetensorsHeader header = SafetensorsHeader.Parse(path, new ReadOnlySpan<byte>(file.Pointer, (int)needed), file.Length);
        string fileName = Path.GetFileName(path);
        foreach (TensorHeader tensor in header.Tensors)
        {
            if (shardOf is not null && shardOf.ShardByTensor.TryGetValue(tensor.Name, out string? shard) && shard != fileName)
                throw new WeightFormatException(path, $"'{tensor.Name}' is here, and the index says that it is in '{shard}'.");
            if (!_tensors.TryAdd(tensor.Name, new MappedTensor(path, file, tensor, header.DataOffset)))
                throw new WeightFormatException(path, $"'{tensor.Name}' is also in '{_tensors[tensor.Name].Source}'.");
        }
    }
}
