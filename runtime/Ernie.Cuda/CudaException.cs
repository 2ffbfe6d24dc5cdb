namespace Ernie.Cuda;

/// <summary>A driver call failed.</summary>
public sealed class CudaException : Exception
{
    /// <summary>Describes a failed call.</summary>
    /// <param name="call">Text of the call.</param>
    /// <param name="result">Name of the result, for example <c>CUDA_ERROR_OUT_OF_MEMORY</c>.</param>
    /// <param name="device">Ordinal of the calling thread's device, or −1 when it has none.</param>
    /// <param name="description">The driver's own sentence for the result.</param>
    public CudaException(string call, string result, int device, string description)
        : base($"{call} failed on device {(device < 0 ? "(none)" : device)}: {result} ({description})")
    {
        Call = call;
        Result = result;
        Device = device;
    }

    /// <summary>Text of the call.</summary>
    public string Call { get; }

    /// <summary>Name of the result.</summary>
    public string Result { get; }

    /// <summary>Ordinal of the device, or −1.</summary>
    public int Device { get; }
}
