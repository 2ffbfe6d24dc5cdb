namespace Ernie.Cuda;

/// <summary>The GPU backend cannot start here; the message says why and what would help. Callers fall back to the CPU or stop.</summary>
public sealed class CudaUnavailableException : Exception
{
    /// <summary>Describes why.</summary>
    /// <param name="diagnosticId">ERN3xxx id; its page is in docs/diagnostics.</param>
    /// <param name="message">What was found, what is needed.</param>
    /// <param name="innerException">The cause, when there is one.</param>
    public CudaUnavailableException(string diagnosticId, string message, Exception? innerException = null)
        : base($"error {diagnosticId}: {message}", innerException) => DiagnosticId = diagnosticId;

    /// <summary>ERN3xxx id.</summary>
    public string DiagnosticId { get; }
}
