namespace Ernie.Weights;

/// <summary>A model cannot be fetched from its hub; the message says why and what would work.</summary>
public sealed class HubException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What failed and what the user can do.</param>
    /// <param name="innerException">The cause, if another error was it.</param>
    public HubException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
