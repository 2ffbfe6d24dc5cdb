namespace Ernie.Cuda;

/// <summary>Ids of what can go wrong with kernels, the compiler and the device. Never reused; each has a page in docs/diagnostics.</summary>
public static class CudaDiagnostics
{
    /// <summary>The NVIDIA driver's library is not installed.</summary>
    public const string NoDriver = "ERN3001";

    /// <summary>The driver is older than this code needs.</summary>
    public const string DriverTooOld = "ERN3002";

    /// <summary>The driver works and there is no device that this code can use.</summary>
    public const string NoDevice = "ERN3003";

    /// <summary>A kernel is not in the cache and NVRTC is not installed.</summary>
    public const string NoCompiler = "ERN3004";

    /// <summary>NVRTC refused a kernel.</summary>
    public const string CompileFailed = "ERN3005";

    /// <summary>The device's memory cannot hold the model and one full sequence.</summary>
    public const string OutOfMemory = "ERN3006";

    /// <summary>The model or quantisation cannot run on the device.</summary>
    public const string NotSupported = "ERN3007";

    /// <summary>A step does not end.</summary>
    public const string StepTimeout = "ERN3008";

    /// <summary>All ids.</summary>
    public static IReadOnlyList<string> All { get; } =
        [NoDriver, DriverTooOld, NoDevice, NoCompiler, CompileFailed, OutOfMemory, NotSupported, StepTimeout];
}
