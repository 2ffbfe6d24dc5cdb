using System.Globalization;
using System.Text;
using Ernie.Cuda.Interop;
using Ernie.Kernels;

namespace Ernie.Cuda;

/// <summary>An NVIDIA GPU and its primary context.</summary>
public sealed class CudaDevice : IDisposable
{
    /// <summary>Oldest driver: CUDA 12.3 is the first whose captured graphs keep programmatic dependencies between kernels.</summary>
    public const int MinimumDriverVersion = 12030;

    [ThreadStatic]
    private static CudaDevice? s_current;

    private readonly SafeCudaContext _context;

    private CudaDevice(int ordinal, string name, DeviceProfile profile, SafeCudaContext context)
    {
        Ordinal = ordinal;
        Name = name;
        Profile = profile;
        _context = context;
    }

    /// <summary>Number of the device, zero-based.</summary>
    public int Ordinal { get; }

    /// <summary>"NVIDIA H100 80GB HBM3".</summary>
    public string Name { get; }

    /// <summary>What kernels are planned by.</summary>
    public DeviceProfile Profile { get; }

    /// <summary>Opens a device and makes it the calling thread's.</summary>
    /// <param name="ordinal">Number of the device, zero-based.</param>
    /// <exception cref="CudaUnavailableException">No driver, a driver that is too old, no such device, or one older than Ampere.</exception>
    public static CudaDevice Open(int ordinal = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ordinal);
        if (!Libraries.TryLoadCuda())
            throw new CudaUnavailableException(
                CudaDiagnostics.NoDriver,
                "the NVIDIA driver's library (libcuda.so.1) was not found. Install the driver, or give a container access to it; the CUDA toolkit is not needed.");

        CheckStart(Interop.Cuda.cuInit(0));
        Interop.Cuda.Check(Interop.Cuda.cuDriverGetVersion(out int version));
        CheckVersion(version);
        Interop.Cuda.Check(Interop.Cuda.cuDeviceGetCount(out int count));
        if (ordinal >= count)
            throw new CudaUnavailableException(CudaDiagnostics.NoDevice, $"device {ordinal} was asked for and the driver sees {count}. CUDA_VISIBLE_DEVICES may hide some.");

        Interop.Cuda.Check(Interop.Cuda.cuDeviceGet(out int device, ordinal));
        string name = NameOf(device);
        int major = Attribute(device, Interop.Cuda.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
        int minor = Attribute(device, Interop.Cuda.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
        CheckCapability(name, major, minor);
        Interop.Cuda.Check(Interop.Cuda.cuDevicePrimaryCtxRetain(out SafeCudaContext context, device));
        context.Device = device;
        CudaDevice opened = new(ordinal, name, ProfileOf(device, GpuArchitecture.FromCapability(major, minor)), context);
        opened.MakeCurrent();
        return opened;
    }

    /// <summary>Refuses a driver that does not start.</summary>
    internal static void CheckStart(CuResult initialized)
    {
        if (initialized == CuResult.CUDA_ERROR_NO_DEVICE)
            throw new CudaUnavailableException(
                CudaDiagnostics.NoDevice, "the NVIDIA driver works and sees no GPU. Give the container access to one (--gpus all), or see whether CUDA_VISIBLE_DEVICES hides it.");

        if (initialized != CuResult.CUDA_SUCCESS)
            throw new CudaUnavailableException(
                CudaDiagnostics.NoDriver, $"the NVIDIA driver does not start: cuInit returned {initialized}. nvidia-smi tells whether driver and kernel module agree.");
    }

    /// <summary>Refuses a driver that is too old.</summary>
    /// <param name="version">As the driver counts: 12030 is 12.3.</param>
    internal static void CheckVersion(int version)
    {
        if (version < MinimumDriverVersion)
            throw new CudaUnavailableException(
                CudaDiagnostics.DriverTooOld,
                $"the driver supports CUDA {VersionText(version)}; CUDA {VersionText(MinimumDriverVersion)} or newer is needed. Update the driver (545 or newer).");
    }

    /// <summary>Refuses a device that is too old.</summary>
    internal static void CheckCapability(string name, int major, int minor)
    {
        if (major < 8)
            throw new CudaUnavailableException(
                CudaDiagnostics.NoDevice, $"{name} has compute capability {major}.{minor}; 8.0 (Ampere) or newer is needed for bf16 tensor cores.");
    }

    /// <summary>Makes the device the calling thread's; cheap when it is already.</summary>
    public void MakeCurrent()
    {
        if (ReferenceEquals(s_current, this))
            return;

        Interop.Cuda.Check(Interop.Cuda.cuCtxSetCurrent(_context));
        s_current = this;
    }

    /// <summary>Memory of the device.</summary>
    /// <returns>Free and all bytes.</returns>
    public (long FreeBytes, long TotalBytes) Memory()
    {
        MakeCurrent();
        Interop.Cuda.Check(Interop.Cuda.cuMemGetInfo(out nuint free, out nuint total));
        return ((long)free, (long)total);
    }

    /// <summary>Other processes that have a context on the card; null when nobody can tell.</summary>
    internal int? OtherProcesses()
    {
        Span<byte> busId = stackalloc byte[32];
        return Interop.Cuda.cuDeviceGetPCIBusId(busId, busId.Length, _context.Device) == CuResult.CUDA_SUCCESS && Nvml.ComputeProcesses(busId) is { } count
            ? Math.Max(0, count - 1) // One of them is this process.
            : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (ReferenceEquals(s_current, this))
            s_current = null;
        _context.Dispose();
    }

    private static DeviceProfile ProfileOf(int device, GpuArchitecture architecture)
    {
        double clock = 1000.0 * Attribute(device, Interop.Cuda.CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE);
        double bytesPerSecond = 2 * clock * Attribute(device, Interop.Cuda.CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH) / 8;
        DeviceProfile typical = DeviceProfile.Typical(architecture);
        return new DeviceProfile(
            architecture with { SharedMemoryPerBlock = Attribute(device, Interop.Cuda.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN) },
            Attribute(device, Interop.Cuda.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
            bytesPerSecond > 0 ? bytesPerSecond : typical.BytesPerSecond);
    }

    private static int Attribute(int device, int attribute)
    {
        Interop.Cuda.Check(Interop.Cuda.cuDeviceGetAttribute(out int value, attribute, device));
        return value;
    }

    private static string NameOf(int device)
    {
        Span<byte> name = stackalloc byte[256];
        Interop.Cuda.Check(Interop.Cuda.cuDeviceGetName(name, name.Length, device));
        return Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)]);
    }

    private static string VersionText(int version) => string.Create(CultureInfo.InvariantCulture, $"{version / 1000}.{version % 1000 / 10}");
}
