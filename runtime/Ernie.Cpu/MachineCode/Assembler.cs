using System.Buffers.Binary;

namespace Ernie.Cpu.MachineCode;

/// <summary>
/// Encodes the handful of x64 instructions that the dot-product kernels are made of; vectors are always 512 bits wide.
/// </summary>
/// <remarks>Source of the encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, §2.7 (EVEX).</remarks>
internal sealed class Assembler
{
    private readonly List<byte> _code = [];

    /// <summary>Bytes so far; also the address, relative to the start, of the next instruction.</summary>
    internal int Position => _code.Count;

    /// <summary>The code.</summary>
    internal byte[] ToArray() => [.. _code];

    /// <summary>Fills with one-byte no-operations up to a multiple of <paramref name="alignment"/>.</summary>
    internal void Align(int alignment)
    {
        while (_code.Count % alignment != 0)
            _code.Add(0x90);
    }

    internal void Push(Register register) => ShortOpcode(0x50, register);

    internal void Pop(Register register) => ShortOpcode(0x58, register);

    internal void Return() => _code.Add(0xC3);

    /// <summary>Clears the upper halves so that code with 128-bit encodings runs at full speed afterwards.</summary>
    internal void ZeroUpper() => _code.AddRange([0xC5, 0xF8, 0x77]);

    internal void Load(Register destination, Address source) => General(0x8B, (int)destination, source);

    internal void Move(Register destination, Register source) => General(0x89, (int)source, destination);

    internal void Add(Register destination, Register source) => General(0x01, (int)source, destination);

    internal void Add(Register destination, int value)
    {
        General(0x81, 0, destination);
        Immediate32(value);
    }

    internal void Subtract(Register destination, int value)
    {
        General(0x81, 5, destination);
        Immediate32(value);
    }

    /// <summary>Sets a 32-bit register; the upper half becomes zero.</summary>
    internal void Set32(Register destination, int value)
    {
        if ((int)destination >= 8)
            _code.Add(0x41);
        _code.Add((byte)(0xB8 + ((int)destination & 7)));
        Immediate32(value);
    }

    /// <summary>Jumps back to <paramref name="target"/> while the last subtraction was not zero.</summary>
    internal void JumpIfNotZero(int target)
    {
        _code.AddRange([0x0F, 0x85]);
        Immediate32(target - (_code.Count + 4));
    }

    /// <summary>Fetches a cache line into every level.</summary>
    internal void Prefetch(Address source)
    {
        RexFor(0, source, wide: false);
        _code.AddRange([0x0F, 0x18]);
        Memory(1, source);
    }

    internal void LoadVector(int destination, Address source) => Evex(Prefix.None, Map.M0F, 0x10, destination, 0, source);

    internal void StoreVector(Address destination, int source) => Evex(Prefix.None, Map.M0F, 0x11, source, 0, destination);

    /// <summary>Copies a 32-bit element from memory to all 16 lanes.</summary>
    internal void Broadcast(int destination, Address source) => Evex(Prefix.P66, Map.M0F38, 0x58, destination, 0, source);

    /// <summary>Copies a 32-bit register to all 16 lanes.</summary>
    internal void Broadcast(int destination, Register source) => Evex(Prefix.P66, Map.M0F38, 0x7C, destination, 0, (int)source);

    /// <summary>destination[i] += Σ of 4 products of unsigned bytes of <paramref name="unsigned"/> and signed bytes of <paramref name="signed"/>.</summary>
    internal void DotAccumulate(int destination, int unsigned, int signed) => Evex(Prefix.P66, Map.M0F38, 0x50, destination, unsigned, signed);

    /// <summary>The same with one 32-bit element of memory for all lanes.</summary>
    internal void DotAccumulate(int destination, int unsigned, Address signed) =>
        Evex(Prefix.P66, Map.M0F38, 0x50, destination, unsigned, signed, broadcast: true);

    internal void And(int destination, int left, int right) => Evex(Prefix.P66, Map.M0F, 0xDB, destination, left, right);

    internal void Xor(int destination, int left, int right) => Evex(Prefix.P66, Map.M0F, 0xEF, destination, left, right);

    internal void AddInteger(int destination, int left, int right) => Evex(Prefix.P66, Map.M0F, 0xFE, destination, left, right);

    /// <summary>Shifts each 16-bit element right, filling with zeros.</summary>
    internal void ShiftRight16(int destination, int source, byte bits)
    {
        // The opcode's extension takes the register field; the destination moves to the second one.
        Evex(Prefix.P66, Map.M0F, 0x71, 2, destination, source);
        _code.Add(bits);
    }

    internal void IntegerToFloat(int destination, int source) => Evex(Prefix.None, Map.M0F, 0x5B, destination, 0, source);

    /// <summary>Widens 16 half-precision values of memory to f32.</summary>
    internal void HalfToFloat(int destination, Address source) => Evex(Prefix.P66, Map.M0F38, 0x13, destination, 0, source);

    internal void Multiply(int destination, int left, int right) => Evex(Prefix.None, Map.M0F, 0x59, destination, left, right);

    /// <summary>Multiplies by one f32 of memory.</summary>
    internal void Multiply(int destination, int left, Address right) => Evex(Prefix.None, Map.M0F, 0x59, destination, left, right, broadcast: true);

    /// <summary>destination += left × right, rounded once.</summary>
    internal void FusedMultiplyAdd(int destination, int left, int right) => Evex(Prefix.P66, Map.M0F38, 0xB8, destination, left, right);

    /// <summary>destination += left × one f32 of memory, rounded once.</summary>
    internal void FusedMultiplyAdd(int destination, int left, Address right) =>
        Evex(Prefix.P66, Map.M0F38, 0xB8, destination, left, right, broadcast: true);

    private void ShortOpcode(int opcode, Register register)
    {
        if ((int)register >= 8)
            _code.Add(0x41);
        _code.Add((byte)(opcode + ((int)register & 7)));
    }

    private void General(byte opcode, int field, Register operand)
    {
        _code.Add((byte)(0x48 | (field >= 8 ? 4 : 0) | ((int)operand >= 8 ? 1 : 0)));
        _code.Add(opcode);
        _code.Add((byte)(0xC0 | ((field & 7) << 3) | ((int)operand & 7)));
    }

    private void General(byte opcode, int field, Address operand)
    {
        RexFor(field, operand, wide: true);
        _code.Add(opcode);
        Memory(field, operand);
    }

    private void RexFor(int field, Address operand, bool wide)
    {
        int rex = (wide ? 8 : 0) | (field >= 8 ? 4 : 0) | (operand.Index is { } index && (int)index >= 8 ? 2 : 0) | ((int)operand.Base >= 8 ? 1 : 0);
        if (rex != 0)
            _code.Add((byte)(0x40 | rex));
    }

    private void Evex(Prefix prefix, Map map, byte opcode, int field, int second, int operand)
    {
        EvexPrefix(prefix, map, field, second, (operand & 16) != 0, (operand & 8) != 0, broadcast: false);
        _code.Add(opcode);
        _code.Add((byte)(0xC0 | ((field & 7) << 3) | (operand & 7)));
    }

    private void Evex(Prefix prefix, Map map, byte opcode, int field, int second, Address operand, bool broadcast = false)
    {
        EvexPrefix(prefix, map, field, second, operand.Index is { } index && (int)index >= 8, (int)operand.Base >= 8, broadcast);
        _code.Add(opcode);
        Memory(field, operand);
    }

    // Register numbers are stored inverted, their fifth bits apart from the rest. W is 0 in every instruction here.
    private void EvexPrefix(Prefix prefix, Map map, int field, int second, bool extendIndex, bool extendBase, bool broadcast)
    {
        const int Length512 = 0x40;
        int first = ((field & 8) == 0 ? 0x80 : 0) | (extendIndex ? 0 : 0x40) | (extendBase ? 0 : 0x20) | ((field & 16) == 0 ? 0x10 : 0) | (int)map;
        int middle = ((~second & 15) << 3) | 4 | (int)prefix;
        int last = Length512 | (broadcast ? 0x10 : 0) | ((second & 16) == 0 ? 8 : 0);
        _code.AddRange([0x62, (byte)first, (byte)middle, (byte)last]);
    }

    // Always with a 32-bit displacement: EVEX scales 8-bit ones by the operand's size, which would need a rule per instruction.
    private void Memory(int field, Address operand)
    {
        const int Displacement32 = 0x80;
        int fieldBits = (field & 7) << 3;
        if (operand.Index is { } index)
        {
            if (index == Register.Rsp)
                throw new ArgumentException("The stack pointer cannot be an index.", nameof(operand));
            _code.Add((byte)(Displacement32 | fieldBits | 4));
            _code.Add((byte)((((int)index & 7) << 3) | ((int)operand.Base & 7)));
        }
        else if (((int)operand.Base & 7) == 4)
        {
            _code.Add((byte)(Displacement32 | fieldBits | 4));
            _code.Add((byte)((4 << 3) | ((int)operand.Base & 7)));
        }
        else
        {
            _code.Add((byte)(Displacement32 | fieldBits | ((int)operand.Base & 7)));
        }

        Immediate32(operand.Displacement);
    }

    private void Immediate32(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        _code.AddRange(bytes);
    }

    private enum Prefix
    {
        None = 0,
        P66 = 1,
    }

    private enum Map
    {
        M0F = 1,
        M0F38 = 2,
    }
}
