using Ernie.Cpu.Memory;

namespace Ernie.Cpu.Operations;

/// <summary>f32 rows that one value at a time lives in.</summary>
internal sealed unsafe class RowStorage : IDisposable
{
    private readonly NativeBuffer<float>? _buffer;

    /// <summary>Allocates.</summary>
    /// <param name="rows">Rows.</param>
    /// <param name="width">Elements in a row; rows are padded to whole panels of 16.</param>
    internal RowStorage(int rows, int width)
    {
        Stride = PaddedWidth(width);
        _buffer = new NativeBuffer<float>((long)rows * Stride);
        Pointer = _buffer.Pointer;
    }

    /// <summary>Describes memory of somebody else, which <see cref="Pointer"/> is set to before each use.</summary>
    /// <param name="width">Elements in a row.</param>
    internal RowStorage(int width) => Stride = PaddedWidth(width);

    /// <summary>Floats between rows.</summary>
    internal int Stride { get; }

    /// <summary>First row.</summary>
    internal float* Pointer { get; set; }

    /// <summary>Elements of a row with the padding that integer kernels write.</summary>
    internal static int PaddedWidth(int width) => (width + 15) / 16 * 16;

    public void Dispose() => _buffer?.Dispose();
}
