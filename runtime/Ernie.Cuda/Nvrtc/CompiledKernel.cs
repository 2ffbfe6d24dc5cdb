namespace Ernie.Cuda.Nvrtc;

/// <summary>A cubin and what its kernel takes.</summary>
/// <param name="Cubin">The ELF image; not to be changed.</param>
/// <param name="Registers">Registers of a thread.</param>
/// <param name="LocalBytes">Stack and spilled bytes of a thread; 0 in a good kernel.</param>
public sealed record CompiledKernel(ReadOnlyMemory<byte> Cubin, int Registers, int LocalBytes);
