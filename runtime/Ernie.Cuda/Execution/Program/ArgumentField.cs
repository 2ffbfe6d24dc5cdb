namespace Ernie.Cuda.Execution;

/// <summary>A field of a kernel's argument struct.</summary>
/// <param name="Name">Its name, with a dot for a field of a field: Epilogue.Output.</param>
/// <param name="Offset">Bytes from the struct's start.</param>
/// <param name="Size">Bytes.</param>
internal sealed record ArgumentField(string Name, int Offset, int Size);
