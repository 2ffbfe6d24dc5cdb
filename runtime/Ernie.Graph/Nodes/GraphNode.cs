namespace Ernie.Graph;

/// <summary>An operation. Executors switch on the type; nodes are immutable and passes replace them.</summary>
public abstract record GraphNode
{
    /// <summary>Values the node reads, in the order of its parameters.</summary>
    public abstract IReadOnlyList<ValueId> Inputs { get; }

    /// <summary>Values the node defines.</summary>
    public abstract IReadOnlyList<ValueId> Outputs { get; }

    /// <summary>Linear weights the node multiplies by.</summary>
    public virtual IReadOnlyList<LinearWeight> Linears => [];

    /// <summary>Tensors the node reads as they are stored.</summary>
    public virtual IReadOnlyList<TensorReference> Tensors => [];

    /// <summary>The same operation on other values.</summary>
    /// <param name="rename">Gives every value of the node its new name.</param>
    public abstract GraphNode Rename(Func<ValueId, ValueId> rename);

    /// <summary>The same operation with other linear weights.</summary>
    /// <param name="replace">Gives every weight its replacement.</param>
    public virtual GraphNode ReplaceLinears(Func<LinearWeight, LinearWeight> replace) => this;
}
