using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

/// <summary>NVIDIA's management library, which comes with the driver. Nothing depends on its being there.</summary>
internal static partial class Nvml
{
    private const int NVML_SUCCESS = 0;
    private const int NVML_ERROR_INSUFFICIENT_SIZE = 7;

    /// <summary>Counts the processes with a context on a card; null when the library does not tell.</summary>
    /// <param name="busId">The card's PCI address, as the driver writes it, zero-terminated.</param>
    public static int? ComputeProcesses(ReadOnlySpan<byte> busId)
    {
        if (!Libraries.TryLoadNvml())
            return null;

        try
        {
            if (nvmlInit_v2() != NVML_SUCCESS || nvmlDeviceGetHandleByPciBusId_v2(busId, out nint device) != NVML_SUCCESS)
                return null;

            // With room for none it says how many there are.
            uint count = 0;
            int result = nvmlDeviceGetComputeRunningProcesses_v3(device, ref count, 0);
            return result is NVML_SUCCESS or NVML_ERROR_INSUFFICIENT_SIZE ? (int)count : null;
        }
        catch (EntryPointNotFoundException)
        {
            // A driver whose library does not know these versions.
            return null;
        }
    }

    [LibraryImport(Libraries.Nvml)]
    private static partial int nvmlInit_v2();

    [LibraryImport(Libraries.Nvml)]
    private static partial int nvmlDeviceGetHandleByPciBusId_v2(ReadOnlySpan<byte> busId, out nint device);

    [LibraryImport(Libraries.Nvml)]
    private static partial int nvmlDeviceGetComputeRunningProcesses_v3(nint device, ref uint count, nint infos);
}
