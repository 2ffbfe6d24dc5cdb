namespace Ernie.Cuda;

/// <summary>NVRTC refused a kernel.</summary>
public sealed class KernelCompileException : Exception
{
    /// <summary>Describes the refusal.</summary>
    /// <param name="kernel">Name of the kernel.</param>
    /// <param name="architecture">Architecture it was compiled for.</param>
    /// <param name="log">The compiler's log.</param>
    public KernelCompileException(string kernel, string architecture, string log)
        : base($"error {CudaDiagnostics.CompileFailed}: kernel '{kernel}' does not compile for {architecture}:{Environment.NewLine}{log}")
    {
        Kernel = kernel;
        Log = log;
    }

    /// <summary>Name of the kernel.</summary>
    public string Kernel { get; }

    /// <summary>The compiler's log.</summary>
    public string Log { get; }
}
