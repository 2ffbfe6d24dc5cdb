using Ernie.PlainFiles;

namespace Ernie.Tokenization.Files;

/// <summary>Reads the tokenizer's files; what is wrong with one is reported with its name.</summary>
internal static class TokenizerFile
{
    /// <summary>Reads a whole file.</summary>
    /// <exception cref="TokenizerFormatException">It is no plain file, is too long, is a pointer of Git LFS, or cannot be read.</exception>
    public static byte[] ReadAll(string path, long maximumBytes)
    {
        try
        {
            return ModelFile.ReadAll(path, maximumBytes);
        }
        catch (ModelFileException error)
        {
            throw new TokenizerFormatException(path, "file", error.Message, error);
        }
    }

    /// <summary>Reads a whole file as text.</summary>
    /// <exception cref="TokenizerFormatException">It is no plain file, is too long, is a pointer of Git LFS, or cannot be read.</exception>
    public static string ReadText(string path, long maximumBytes)
    {
        try
        {
            return ModelFile.ReadText(path, maximumBytes);
        }
        catch (ModelFileException error)
        {
            throw new TokenizerFormatException(path, "file", error.Message, error);
        }
    }
}
