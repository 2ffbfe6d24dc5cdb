namespace Ernie.Kernels;

/// <summary>What a plan depends on of a device.</summary>
/// <param name="Architecture">What kernels are compiled for.</param>
/// <param name="Multiprocessors">Multiprocessors; grids are sized by it.</param>
/// <param name="BytesPerSecond">Peak memory bandwidth; predicts a kernel's floor.</param>
public sealed record DeviceProfile(GpuArchitecture Architecture, int Multiprocessors, double BytesPerSecond)
{
    /// <summary>A usual card of an architecture, for plans made without a device.</summary>
    /// <param name="architecture">One of <see cref="GpuArchitecture.Tested"/>.</param>
    /// <remarks>A100 80 GB, A10, L4 and H100 SXM from their data sheets.</remarks>
    public static DeviceProfile Typical(GpuArchitecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        return (architecture.Major, architecture.Minor) switch
        {
            (8, 0) => new DeviceProfile(architecture, 108, 2.0e12),
            (8, 6) => new DeviceProfile(architecture, 72, 0.6e12),
            (8, 9) => new DeviceProfile(architecture, 58, 0.3e12),
            _ => new DeviceProfile(architecture, 132, 3.35e12),
        };
    }
}
