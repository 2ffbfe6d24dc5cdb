using Ernie.Text;

namespace Ernie.Sampling;

/// <summary>
/// Draws one token from one row of logits. Stateless: all it knows of a request is in its parameter block.
/// The CPU form is mandatory and is the oracle of the device form.
/// </summary>
public interface ISampler
{
    /// <summary>Name by which requests choose it; lower-case words joined with '-'.</summary>
    string Name { get; }

    /// <summary>Size of one row's parameter block in bytes, at most <see cref="SamplerLimits.MaxParameterBytes"/>.</summary>
    int ParameterBytes { get; }

    /// <summary>What the runtime must keep per request for this sampler.</summary>
    SamplerNeeds Needs => SamplerNeeds.None;

    /// <summary>Bytes of zero-initialised scratch kept per request when <see cref="SamplerNeeds.Scratch"/> is set.</summary>
    int ScratchBytes => 0;

    /// <summary>Writes a request's parameters; called once per request.</summary>
    /// <param name="options">The request's validated options.</param>
    /// <param name="destination">[<see cref="ParameterBytes"/>] bytes to fill.</param>
    /// <exception cref="ArgumentException">A value that this sampler cannot take; becomes a 400 for the request.</exception>
    void WriteParameters(SamplingOptions options, Span<byte> destination);

    /// <summary>
    /// Writes a request's parameters, for samplers that turn texts of the request into tokens; called once per request instead of the
    /// other, which it calls unless a sampler says otherwise.
    /// </summary>
    /// <param name="options">The request's validated options.</param>
    /// <param name="tokenizer">The model's tokenizer; null when the engine has none.</param>
    /// <param name="destination">[<see cref="ParameterBytes"/>] bytes to fill.</param>
    /// <exception cref="ArgumentException">A value that this sampler cannot take; becomes a 400 for the request.</exception>
    void WriteParameters(SamplingOptions options, ITokenizer? tokenizer, Span<byte> destination) => WriteParameters(options, destination);

    /// <summary>Draws a token.</summary>
    /// <param name="row">Logits after masks, bias and penalties, parameters, random numbers, and what <see cref="Needs"/> asked for.</param>
    /// <returns>A token id in [0, vocabulary).</returns>
    int Sample(ref SamplingRow row);

    /// <summary>The CUDA form, or null: then rows of this sampler, and only those, are sampled on the host.</summary>
    DeviceSnippet? Device { get; }
}

/// <summary>Per-request state that a sampler may ask the runtime to keep.</summary>
[Flags]
public enum SamplerNeeds
{
    /// <summary>Logits and parameters are enough.</summary>
    None = 0,

    /// <summary>How often each token was generated: <see cref="SamplingRow.TokenCounts"/>.</summary>
    TokenCounts = 1,

    /// <summary>The last tokens of the sequence: <see cref="SamplingRow.Tail"/>.</summary>
    Tail = 2,

    /// <summary>A block the sampler may write between steps: <see cref="SamplingRow.Scratch"/>.</summary>
    Scratch = 4,
}

/// <summary>Bounds of the sampler contract.</summary>
public static class SamplerLimits
{
    /// <summary>Largest parameter block, in bytes.</summary>
    public const int MaxParameterBytes = 64;

    /// <summary>Largest per-request scratch block, in bytes.</summary>
    public const int MaxScratchBytes = 1024;

    /// <summary>Tokens kept in <see cref="SamplingRow.Tail"/> at most.</summary>
    public const int TailTokens = 256;
}

/// <summary>Everything one draw may see. Valid during the call only.</summary>
public ref struct SamplingRow
{
    /// <summary>[vocabulary] f32; may be overwritten.</summary>
    public Span<float> Logits { get; set; }

    /// <summary>The request's parameter block.</summary>
    public ReadOnlySpan<byte> Parameters { get; set; }

    /// <summary>The row's random numbers, keyed by seed and position.</summary>
#pragma warning disable CA1051 // A field: drawing advances it, and a property would advance a copy.
    public Philox Random;
#pragma warning restore CA1051

    /// <summary>[vocabulary] occurrences in the generated text; empty unless asked for.</summary>
    public ReadOnlySpan<int> TokenCounts { get; set; }

    /// <summary>Up to <see cref="SamplerLimits.TailTokens"/> last tokens (prompt and output), oldest first; empty unless asked for.</summary>
    public ReadOnlySpan<int> Tail { get; set; }

    /// <summary>The request's scratch block, zero at the first draw; empty unless asked for.</summary>
    public Span<byte> Scratch { get; set; }
}
