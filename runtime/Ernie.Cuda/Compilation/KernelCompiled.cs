namespace Ernie.Cuda.Compilation;

/// <summary>One kernel is ready.</summary>
/// <param name="Kernel">Its name.</param>
/// <param name="Cached">Whether it came from the cache.</param>
/// <param name="Elapsed">Time it took.</param>
/// <param name="Total">Kernels of the whole request.</param>
public sealed record KernelCompiled(string Kernel, bool Cached, TimeSpan Elapsed, int Total);
