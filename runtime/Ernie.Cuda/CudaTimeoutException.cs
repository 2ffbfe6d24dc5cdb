namespace Ernie.Cuda;

/// <summary>A step did not end in time: a kernel, most likely a sampler's device form, runs forever. The device cannot be told to stop it.</summary>
public sealed class CudaTimeoutException : Exception
{
    /// <summary>Describes the step.</summary>
    /// <param name="timeout">How long was waited.</param>
    /// <param name="samplers">Names of the samplers that drew in it.</param>
    public CudaTimeoutException(TimeSpan timeout, IEnumerable<string> samplers)
        : base(
            $"error {CudaDiagnostics.StepTimeout}: the device did not end a step within {timeout.TotalSeconds} s; in it drew: "
            + $"{string.Join(", ", samplers)}. The device takes no more work from this process; restart it without the sampler that does not end.")
    {
    }
}
