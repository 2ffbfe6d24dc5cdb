using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>What a product does with its sums before they leave the registers; ernie::Epilogue.</summary>
public abstract record Epilogue
{
    /// <summary>Values that the product defines with it.</summary>
    public abstract IReadOnlyList<ValueId> Outputs { get; }
}

/// <summary>Rotates queries and keys, and writes keys and values to a layer's pages.</summary>
/// <param name="Layer">Layer of the cache.</param>
/// <param name="Rotation">Frequencies.</param>
/// <param name="Query">[tokens, query heads × head size].</param>
/// <param name="Key">[tokens, key/value heads × head size].</param>
/// <param name="Value">Like keys.</param>
public sealed record CacheEpilogue(int Layer, RopeParameters Rotation, ValueId Query, ValueId Key, ValueId Value) : Epilogue
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Query, Key, Value];

    /// <inheritdoc/>
    public override string ToString() => $"rotate, keys and values to the cache of layer {Layer}";
}

/// <summary>Adds the sums to the residual, in its place.</summary>
/// <param name="Residual">[tokens, hidden] before.</param>
/// <param name="Sum">[tokens, hidden] after.</param>
public sealed record ResidualEpilogue(ValueId Residual, ValueId Sum) : Epilogue
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Sum];

    /// <inheritdoc/>
    public override string ToString() => $"add to the residual {Residual}";
}

/// <summary>Multiplies silu of the first half of the outputs by the second.</summary>
/// <param name="Activation">[tokens, outputs / 2].</param>
public sealed record SwiGluEpilogue(ValueId Activation) : Epilogue
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Activation];

    /// <inheritdoc/>
    public override string ToString() => "SwiGLU";
}

/// <summary>Leaves the sums as they are, in f32.</summary>
/// <param name="Logits">[logit rows, vocabulary].</param>
public sealed record LogitsEpilogue(ValueId Logits) : Epilogue
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Logits];

    /// <inheritdoc/>
    public override string ToString() => "logits";
}
