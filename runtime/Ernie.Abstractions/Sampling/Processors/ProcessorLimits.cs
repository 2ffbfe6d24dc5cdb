namespace Ernie.Sampling;

/// <summary>Bounds of the processors' contract.</summary>
public static class ProcessorLimits
{
    /// <summary>Largest state block on the device, in bytes.</summary>
    public const int MaxStateBytes = 16 * 1024;

    /// <summary>Processors of a runtime at most, the standard ones included.</summary>
    public const int MaxProcessors = 32;

    /// <summary>What a device form writes where a token is masked: out of reach, and not an infinity that a form's arithmetic could stumble over.</summary>
    public const float DeviceMask = -3.0e38f;
}
