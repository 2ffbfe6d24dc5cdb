using Ernie.Text;

namespace Ernie.Tokenization;

/// <summary>A tokenizer that can tell a template's own special tokens from what a user wrote. Thread-safe.</summary>
public interface IRenderedTextTokenizer : ITokenizer
{
    /// <summary>
    /// Encodes a rendered template. Special tokens that lie wholly in the template's own text are cut out; everything between two of
    /// them, content and template together, is one run of plain text, so that the ids are those of the rendered string whenever the
    /// content spells no special token.
    /// </summary>
    /// <param name="rendered">What the template gave.</param>
    IReadOnlyList<int> Encode(RenderedText rendered);
}
