namespace Ernie.Kernels;

/// <summary>The launches of one kernel in a step, and what they have to do at least.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Count">Launches in the step.</param>
/// <param name="Grid">Blocks of a launch.</param>
/// <param name="Bytes">Bytes that a launch must read from memory.</param>
/// <param name="Flops">Multiplications and additions of a launch.</param>
public sealed record PlannedLaunch(KernelSpec Kernel, int Count, int Grid, long Bytes, double Flops)
{
    /// <summary>Whether the tensor cores multiply e4m3 rather than bf16.</summary>
    public bool MultipliesFloat8 { get; init; }

    /// <summary>Seconds that all launches take at least: the slower of memory and tensor cores.</summary>
    /// <param name="device">The device.</param>
    public double FloorSeconds(DeviceProfile device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return Count * Math.Max(Bytes / device.BytesPerSecond, Flops / (MultipliesFloat8 ? device.Float8FlopsPerSecond : device.FlopsPerSecond));
    }
}
