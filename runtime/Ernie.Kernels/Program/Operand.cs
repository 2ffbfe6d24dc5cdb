using System.Globalization;
using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>What a field of a kernel's argument struct holds.</summary>
/// <param name="Field">Name of the field, with a dot for a field of a field: Epilogue.Output.</param>
public abstract record Operand(string Field);

/// <summary>An address in a named buffer.</summary>
/// <param name="Field">The field.</param>
/// <param name="Buffer">One of <see cref="KernelBuffers"/>.</param>
/// <param name="Access">What the kernel does with it.</param>
public record BufferOperand(string Field, string Buffer, BufferAccess Access) : Operand(Field)
{
    /// <summary>Bytes from the buffer's start.</summary>
    public int Offset { get; init; }

    /// <summary>Whether the kernel reads it.</summary>
    public bool Reads => Access.HasFlag(BufferAccess.Read);

    /// <summary>Whether the kernel writes it.</summary>
    public bool Writes => Access.HasFlag(BufferAccess.Write);

    private string Arrow => Access switch
    {
        BufferAccess.Read => "<-",
        BufferAccess.Write => "->",
        BufferAccess.Update => "<->",
        _ => "=",
    };

    /// <inheritdoc/>
    public sealed override string ToString() => Text($"{Field} {Arrow} {Buffer}{(Offset == 0 ? "" : $"+{Offset}")}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A tensor map of a named buffer, which tells how boxes of its rows are copied.</summary>
/// <param name="Field">The field.</param>
/// <param name="Buffer">The buffer.</param>
/// <param name="Columns">Elements of a row.</param>
/// <param name="BoxRows">Rows of a box.</param>
/// <param name="IsBytes">Whether elements are bytes rather than bf16.</param>
public sealed record MapOperand(string Field, string Buffer, int Columns, int BoxRows, bool IsBytes) : BufferOperand(Field, Buffer, BufferAccess.Read);

/// <summary>A vector or table of the checkpoint.</summary>
/// <param name="Field">The field.</param>
/// <param name="Tensor">The tensor.</param>
public sealed record TensorOperand(string Field, TensorReference Tensor) : Operand(Field)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Field} = {Tensor.Name}";
}

/// <summary>Part of a product's weight.</summary>
/// <param name="Field">The field.</param>
/// <param name="Weight">The weight.</param>
/// <param name="Part">Which part.</param>
public sealed record WeightOperand(string Field, LinearWeight Weight, WeightPart Part) : Operand(Field)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Field} = {Part} of {string.Join(" ++ ", Weight.Parts.Select(part => part.Name))}";
}

/// <summary>The table of cosines and sines.</summary>
/// <param name="Field">The field.</param>
public sealed record RotationOperand(string Field) : Operand(Field)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Field} = rotations";
}

/// <summary>A layer's part of the key/value cache.</summary>
/// <param name="Field">The field.</param>
/// <param name="Layer">The layer.</param>
/// <param name="Part">Which part.</param>
public sealed record CacheOperand(string Field, int Layer, CachePart Part) : Operand(Field)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Field} = {Part} of layer {Layer}";
}

/// <summary>A number that the executor's capacities decide.</summary>
/// <param name="Field">The field.</param>
/// <param name="Size">Which number.</param>
public sealed record SizeOperand(string Field, CapacitySize Size) : Operand(Field)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Field} = {Size}";
}

/// <summary>A number that the model decides.</summary>
/// <param name="Field">The field.</param>
/// <param name="Value">The number.</param>
public sealed record NumberOperand(string Field, int Value) : Operand(Field)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Field} = {Value.ToString(CultureInfo.InvariantCulture)}";
}

/// <summary>What changes from step to step.</summary>
/// <param name="Field">The field.</param>
/// <param name="Value">Which of it.</param>
public sealed record StepOperand(string Field, StepValue Value) : Operand(Field)
{
    /// <summary>Rows of a tile, for <see cref="StepValue.RowTiles"/>.</summary>
    public int TileRows { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Field} = {Value} of the step";
}
