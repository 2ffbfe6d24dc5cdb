using System.Runtime.InteropServices;

namespace Ernie.Weights;

/// <summary>A tensor in a mapped safetensors file.</summary>
internal sealed unsafe class MappedTensor : CheckpointTensor
{
    private readonly MappedFile _file;
    private readonly long _byteOffset;

    /// <param name="path">For messages.</param>
    /// <param name="file">The mapped file; the header parser has checked that the tensor's bytes lie inside it.</param>
    /// <param name="header">The tensor's entry.</param>
    /// <param name="dataOffset">Offset in the file of the byte that entries count from.</param>
    public MappedTensor(string path, MappedFile file, TensorHeader header, long dataOffset)
        : base(path, header.Name, header.DataType, header.Shape)
    {
        _file = file;
        _byteOffset = dataOffset + header.Begin;
    }

    /// <summary>The mapped file, to borrow elements from.</summary>
    public MappedFile File => _file;

    /// <summary>Address of the first element; aligned to the element only if the file's author took care.</summary>
    public nint Address => (nint)(_file.Pointer + _byteOffset);

    private protected override void ReadCore(long firstElement, Span<float> destination)
    {
        byte* source = _file.Pointer + _byteOffset + firstElement * DataType.ByteSize();
        switch (DataType)
        {
            case TensorDataType.BFloat16:
                BFloat16Codec.Decode(new ReadOnlySpan<ushort>(source, destination.Length), destination);
                break;
            case TensorDataType.Float16:
                for (int i = 0; i < destination.Length; i++)
                    destination[i] = (float)((Half*)source)[i];
                break;
            case TensorDataType.Float32:
                new ReadOnlySpan<byte>(source, destination.Length * sizeof(float)).CopyTo(MemoryMarshal.AsBytes(destination));
                break;
            default:
                throw new WeightFormatException(Source, $"'{Name}' is {Description}; weights must be BFloat16, Float16 or Float32.");
        }
        // Keeps the mapping alive while the raw pointer above is in use.
        GC.KeepAlive(_file);
    }
}
