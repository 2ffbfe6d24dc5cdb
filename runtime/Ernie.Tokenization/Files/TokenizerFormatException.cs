using Ernie.Text;

namespace Ernie.Tokenization;

/// <summary>A tokenizer file that is damaged, or of a kind this runtime does not read.</summary>
public sealed class TokenizerFormatException : Exception
{
    /// <summary>Creates the error; the message shown is "path: field: problem".</summary>
    /// <param name="path">The file or directory.</param>
    /// <param name="field">The field in it, for example <c>pieces[7].score</c>.</param>
    /// <param name="problem">What was found and what was needed.</param>
    /// <param name="inner">The cause, if there is one.</param>
    public TokenizerFormatException(string path, string field, string problem, Exception? inner = null)
        : base($"{path}: {Excerpt.Of(field)}: {problem}", inner)
    {
        Path = path;
        Field = field;
        Problem = problem;
    }

    /// <summary>Creates the error out of the message's own words and of what was found in the file, of which it shows an excerpt.</summary>
    /// <param name="path">The file or directory.</param>
    /// <param name="field">The field in it, for example <c>pieces[7].score</c>.</param>
    /// <param name="problem">What was found and what was needed.</param>
    /// <param name="inner">The cause, if there is one.</param>
    public TokenizerFormatException(string path, string field, ExcerptInterpolatedStringHandler problem, Exception? inner = null)
        : this(path, field, problem.ToString(), inner)
    {
    }

    /// <summary>The file or directory.</summary>
    public string Path { get; }

    /// <summary>The field in it.</summary>
    public string Field { get; }

    /// <summary>What was found and what was needed, without file and field.</summary>
    public string Problem { get; }
}
