namespace Ernie.Cpu.MachineCode;

/// <summary>A memory operand: base + index + displacement, in bytes.</summary>
/// <param name="Base">Base register.</param>
/// <param name="Displacement">Constant part.</param>
/// <param name="Index">Register added to the base, if any.</param>
internal readonly record struct Address(Register Base, int Displacement = 0, Register? Index = null);
