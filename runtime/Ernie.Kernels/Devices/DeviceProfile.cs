namespace Ernie.Kernels;

/// <summary>What a plan depends on of a device.</summary>
/// <param name="Architecture">What kernels are compiled for.</param>
/// <param name="Multiprocessors">Multiprocessors; grids are sized by it.</param>
/// <param name="BytesPerSecond">Peak memory bandwidth; predicts a kernel's floor.</param>
public sealed record DeviceProfile(GpuArchitecture Architecture, int Multiprocessors, double BytesPerSecond)
{
    /// <summary>Peak of dense bf16 products on the tensor cores, in operations per second; predicts a kernel's floor.</summary>
    /// <remarks>Per multiprocessor, from the data sheets of the cards named below.</remarks>
    public double FlopsPerSecond => Multiprocessors * ((Architecture.Major, Architecture.Minor) switch
    {
        (8, 0) => 312e12 / 108,
        (8, 6) => 125e12 / 72,
        (8, 9) => 121e12 / 58,
        _ => 989e12 / 132,
    });

    /// <summary>Peak of dense e4m3 products, where there are any.</summary>
    /// <remarks>Twice that of bf16 on the cards named below: L4 242, H100 SXM 1,979 TFLOP/s.</remarks>
    public double Float8FlopsPerSecond => 2 * FlopsPerSecond;

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
