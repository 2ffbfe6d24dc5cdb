using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

/// <summary>Names of the native libraries and how each is found; the one place that knows.</summary>
internal static class Libraries
{
    /// <summary>The driver: libcuda.so.1, or nvcuda.dll on Windows.</summary>
    internal const string Cuda = "cuda";

    /// <summary>The run-time compiler: found by <see cref="Nvrtc.NvrtcLocator"/>.</summary>
    internal const string Nvrtc = "nvrtc";

    /// <summary>The management library, libnvidia-ml.so.1, or nvml.dll on Windows.</summary>
    internal const string Nvml = "nvml";

    private static nint s_cuda;
    private static nint s_nvrtc;
    private static nint s_nvml;

    // A module initialiser is the only place that surely runs before the first import of this assembly is bound.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Register() => NativeLibrary.SetDllImportResolver(typeof(Libraries).Assembly, Resolve);

    /// <summary>Loads the driver's library if it is there.</summary>
    internal static bool TryLoadCuda()
    {
        if (s_cuda != 0)
            return true;

        string[] names = OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"];
        return names.Any(name => NativeLibrary.TryLoad(name, out s_cuda));
    }

    /// <summary>Makes the file at <paramref name="path"/> the compiler library of this process.</summary>
    internal static bool TryLoadNvrtc(string path) => s_nvrtc != 0 || NativeLibrary.TryLoad(path, out s_nvrtc);

    /// <summary>Loads the management library if it is there.</summary>
    internal static bool TryLoadNvml() => s_nvml != 0 || NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvml.dll" : "libnvidia-ml.so.1", out s_nvml);

    private static nint Resolve(string libraryName, Assembly assembly, DllImportSearchPath? searchPath) => libraryName switch
    {
        Cuda => TryLoadCuda() ? s_cuda : throw new DllNotFoundException("libcuda.so.1 was not found"),
        Nvrtc => s_nvrtc,
        Nvml => s_nvml,
        _ => 0,
    };
}
