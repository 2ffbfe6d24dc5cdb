using Ernie.Text;

namespace Ernie.Sampling;

/// <summary>What a processor may see of a request when it writes its state.</summary>
public readonly ref struct ProcessorRequest
{
    /// <summary>The request's validated options.</summary>
    public required SamplingOptions Options { get; init; }

    /// <summary>Tokens at which the request ends.</summary>
    public ReadOnlySpan<int> StopTokens { get; init; }

    /// <summary>Whether an <see cref="ITokenMask"/> says which tokens may come.</summary>
    public bool HasTokenMask { get; init; }

    /// <summary>The model's tokenizer; null when the engine has none.</summary>
    public ITokenizer? Tokenizer { get; init; }
}
