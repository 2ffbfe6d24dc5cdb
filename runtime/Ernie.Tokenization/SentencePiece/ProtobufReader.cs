using System.Buffers.Binary;

namespace Ernie.Tokenization.SentencePiece;

/// <summary>Reads one protobuf message. Every length is checked against what is left, so hostile bytes end in an exception, never outside the buffer.</summary>
/// <remarks>Wire format: protobuf.dev/programming-guides/encoding. Groups (wire types 3 and 4) are not used by SentencePiece and are refused.</remarks>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message, string path, string field)
{
    private readonly ReadOnlySpan<byte> _message = message;
    private int _position;
    private int _wireType;

    /// <summary>Number of the field that <see cref="MoveNext"/> stopped at.</summary>
    public int FieldNumber { get; private set; }

    /// <summary>Byte offset of the next unread byte in the message.</summary>
    public readonly int Position => _position;

    /// <summary>Reads the next tag.</summary>
    /// <returns>Whether there is one.</returns>
    public bool MoveNext()
    {
        if (_position == _message.Length) return false;
        ulong tag = ReadVarint();
        if (tag >> 3 is 0 or > 0x1FFFFFFF) throw Error($"tag {tag} at byte {_position} has no valid field number");
        FieldNumber = (int)(tag >> 3);
        _wireType = (int)(tag & 7);
        return true;
    }

    /// <summary>Reads the current field as an integer, boolean or enumeration.</summary>
    public ulong ReadInteger()
    {
        Require(0);
        return ReadVarint();
    }

    /// <summary>Reads the current field as a 32-bit float.</summary>
    public float ReadFloat()
    {
        Require(5);
        return BinaryPrimitives.ReadSingleLittleEndian(Take(4));
    }

    /// <summary>Reads the current field as bytes: a string, a sub-message or packed values.</summary>
    public ReadOnlySpan<byte> ReadBytes()
    {
        Require(2);
        return Take(ReadVarint());
    }

    /// <summary>Steps over the current field.</summary>
    public void Skip()
    {
        switch (_wireType)
        {
            case 0: ReadVarint(); break;
            case 1: Take(8); break;
            case 2: Take(ReadVarint()); break;
            case 5: Take(4); break;
            default: throw Error($"field {FieldNumber} has wire type {_wireType}; 0, 1, 2 or 5 is needed");
        }
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            if (_position == _message.Length) throw Error($"a number is cut off at byte {_position}");
            byte next = _message[_position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }

        throw Error($"the number that ends at byte {_position} is longer than 10 bytes");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)(_message.Length - _position))
            throw Error($"field {FieldNumber} at byte {_position} claims {length} bytes; {_message.Length - _position} are left");
        ReadOnlySpan<byte> taken = _message.Slice(_position, (int)length);
        _position += (int)length;
        return taken;
    }

    private readonly void Require(int wireType)
    {
        if (_wireType != wireType) throw Error($"field {FieldNumber} has wire type {_wireType}; {wireType} is needed");
    }

    private readonly TokenizerFormatException Error(string problem) => new(path, field, problem);
}
