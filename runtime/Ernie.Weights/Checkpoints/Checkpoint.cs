namespace Ernie.Weights;

/// <summary>A source of named tensors. Reading is safe from many threads.</summary>
public abstract class Checkpoint : IDisposable
{
    /// <summary>The file or folder, for messages.</summary>
    public abstract string Source { get; }

    /// <summary>Names of all tensors; empty for a checkpoint that makes any tensor up.</summary>
    public abstract IReadOnlyCollection<string> Names { get; }

    /// <summary>Finds a tensor by its exact name.</summary>
    /// <param name="name">The name in the checkpoint.</param>
    /// <param name="shape">The shape that the caller expects: a checkpoint that makes tensors up gives this shape; a stored tensor keeps its own,
    /// which the caller must check.</param>
    /// <returns>The tensor, or null when there is none of that name.</returns>
    public abstract CheckpointTensor? Find(string name, params ReadOnlySpan<long> shape);

    /// <summary>Lets go of the files. Tensors must no longer be read; matrices that borrow a mapped file keep it mapped.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets go of what the derived checkpoint holds.</summary>
    /// <param name="disposing">True when called from <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}
