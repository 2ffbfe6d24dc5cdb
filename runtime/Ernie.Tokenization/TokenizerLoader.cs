using Ernie.PlainFiles;
using Ernie.Tokenization.Files;
using Ernie.Tokenization.SentencePiece;

namespace Ernie.Tokenization;

/// <summary>Loads tokenizers.</summary>
public static class TokenizerLoader
{
    /// <summary>Loads the tokenizer of a directory: <c>tokenizer.model</c>, or <c>tokenizer.json</c> where that is absent, and the files that add tokens.</summary>
    /// <param name="directory">A checkpoint's directory; may hold only tokenizer files.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    /// <exception cref="FileNotFoundException">It holds neither file.</exception>
    /// <exception cref="TokenizerFormatException">A file is damaged or of an unsupported kind.</exception>
    public static BpeTokenizer Load(string directory)
    {
        ArgumentNullException.ThrowIfNull(directory);
        if (!Directory.Exists(directory)) throw new DirectoryNotFoundException($"There is no directory '{directory}' to load a tokenizer from.");
        TokenizerConfiguration configuration = TokenizerConfiguration.Read(directory);
        string model = Path.Combine(directory, "tokenizer.model");
        if (ModelFile.IsThere(model)) return SentencePieceLoader.Load(model, configuration);
        string json = Path.Combine(directory, "tokenizer.json");
        if (ModelFile.IsThere(json)) return TokenizerJsonLoader.Load(json, configuration);
        throw new FileNotFoundException($"'{directory}' holds neither tokenizer.model nor tokenizer.json.", model);
    }
}
