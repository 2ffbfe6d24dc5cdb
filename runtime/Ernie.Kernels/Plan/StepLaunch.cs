namespace Ernie.Kernels;

/// <summary>A launch in a step of known size, and the least that it has to do.</summary>
/// <param name="Launch">The launch.</param>
/// <param name="Grid">Its blocks.</param>
/// <param name="Bytes">Bytes that it must read from memory.</param>
/// <param name="Operations">Its multiplications and additions.</param>
public sealed record StepLaunch(Launch Launch, LaunchGrid Grid, long Bytes, double Operations)
{
    /// <summary>Seconds that it takes at least: the slower of memory and tensor cores.</summary>
    /// <param name="device">The device.</param>
    public double FloorSeconds(DeviceProfile device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return Math.Max(Bytes / device.BytesPerSecond, Operations / (Launch.Cost.MultipliesFloat8 ? device.Float8FlopsPerSecond : device.FlopsPerSecond));
    }
}
