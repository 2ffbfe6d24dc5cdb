namespace Ernie.Weights;

/// <summary>
/// Makes every tensor up from its name, the same on every machine: the <c>dummy</c> load format, for speed and memory
/// measurements and for tests at full size without the weights.
/// </summary>
public sealed class DummyCheckpoint : Checkpoint
{
    /// <inheritdoc/>
    public override string Source => "dummy";

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names => [];

    /// <summary>Makes a tensor of the asked name and shape; nothing is stored.</summary>
    /// <param name="name">Decides the values.</param>
    /// <param name="shape">The shape that the tensor gets.</param>
    /// <returns>Never null.</returns>
    /// <exception cref="ArgumentException">The shape has no dimension or a negative one.</exception>
    public override CheckpointTensor? Find(string name, params ReadOnlySpan<long> shape)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (shape.IsEmpty)
            throw new ArgumentException($"A shape is needed to make '{name}' up.", nameof(shape));
        foreach (long dimension in shape)
            ArgumentOutOfRangeException.ThrowIfNegative(dimension, nameof(shape));
        return new DummyTensor(name, [.. shape]);
    }
}
