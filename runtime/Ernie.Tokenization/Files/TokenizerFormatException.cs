namespace Ernie.Tokenization;

/// <summary>A tokenizer file that is damaged, or of a kind this runtime does not read.</summary>
/// <param name="path">The file or directory.</param>
/// <param name="field">The field in it, for example <c>pieces[7].score</c>.</param>
/// <param name="problem">What was found and what was needed.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class TokenizerFormatException(string path, string field, string problem, Exception? inner = null)
    : Exception($"{path}: {field}: {problem}", inner)
{
    /// <summary>The file or directory.</summary>
    public string Path { get; } = path;

    /// <summary>The field in it.</summary>
    public string Field { get; } = field;
}
