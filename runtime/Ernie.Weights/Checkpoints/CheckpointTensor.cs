using System.Collections.Immutable;

namespace Ernie.Weights;

/// <summary>One tensor of a checkpoint, readable in pieces so that no whole copy of it need exist.</summary>
public abstract class CheckpointTensor
{
    private protected CheckpointTensor(string source, string name, TensorDataType dataType, ImmutableArray<long> shape)
    {
        Source = source;
        Name = name;
        DataType = dataType;
        Shape = shape;
        long count = 1;
        foreach (long dimension in shape)
            count = checked(count * dimension);
        ElementCount = count;
    }

    /// <summary>The file that holds the tensor, for messages.</summary>
    public string Source { get; }

    /// <summary>The tensor's name in the checkpoint.</summary>
    public string Name { get; }

    /// <summary>Type of the stored elements.</summary>
    public TensorDataType DataType { get; }

    /// <summary>Dimensions, outermost first; elements are row-major.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>Product of the dimensions.</summary>
    public long ElementCount { get; }

    /// <summary>Shape and type as a message shows them.</summary>
    public string Description => $"[{string.Join(", ", Shape)}] {DataType}";

    /// <summary>Reads consecutive elements as f32.</summary>
    /// <param name="firstElement">Zero-based row-major index of the first element.</param>
    /// <param name="destination">Its length says how many; overwritten.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the tensor.</exception>
    /// <exception cref="WeightFormatException">The element type is not bf16, f16 or f32.</exception>
    public void Read(long firstElement, Span<float> destination)
    {
        if (firstElement < 0 || firstElement > ElementCount - destination.Length)
            throw new ArgumentOutOfRangeException(nameof(firstElement), firstElement, $"{destination.Length} elements from there are not inside the {ElementCount} of '{Name}'.");
        ReadCore(firstElement, destination);
    }

    private protected abstract void ReadCore(long firstElement, Span<float> destination);
}
