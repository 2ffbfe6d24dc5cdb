using Ernie.Text;

namespace Ernie.Weights;

/// <summary>A checkpoint cannot be used: a file is damaged or hostile, or it does not hold what the graph needs.</summary>
public sealed class WeightFormatException : Exception
{
    /// <summary>Creates the error; the message shown is "path: message".</summary>
    /// <param name="path">The file or folder at fault.</param>
    /// <param name="message">What was found, in which tensor, and what was needed.</param>
    /// <param name="innerException">The cause, if another error was it.</param>
    public WeightFormatException(string path, string message, Exception? innerException = null)
        : base($"{path}: {message}", innerException)
    {
        Path = path;
    }

    /// <summary>Creates the error out of the message's own words and of what was found in a file, of which it shows an excerpt.</summary>
    /// <param name="path">The file or folder at fault.</param>
    /// <param name="message">What was found, in which tensor, and what was needed.</param>
    /// <param name="innerException">The cause, if another error was it.</param>
    public WeightFormatException(string path, ExcerptInterpolatedStringHandler message, Exception? innerException = null)
        : this(path, message.ToString(), innerException)
    {
    }

    /// <summary>The file or folder at fault.</summary>
    public string Path { get; }
}
