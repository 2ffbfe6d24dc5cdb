using Ernie.Hosting.Models;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;
using Ernie.Text;
using Ernie.Tokenization;

namespace Ernie.Cli.Hosting;

/// <summary>Loads a tokenizer from a folder that need not hold a model.</summary>
internal static class TokenizerFiles
{
    /// <summary>Loads the tokenizer that options name.</summary>
    /// <param name="options">Options parsed with the model's.</param>
    /// <param name="progress">Told about a download.</param>
    /// <param name="cancellationToken">Ends a download.</param>
    public static async Task<ITokenizer> LoadAsync(OptionSet options, Action<string> progress, CancellationToken cancellationToken)
    {
        string directory = options.Get(ModelRows.Tokenizer) ?? options.Get(ModelRows.Model) ?? ModelFiles.EmbeddedDirectory;
        if (!Directory.Exists(directory))
            directory = (await ModelFiles.FindAsync(options, progress, cancellationToken).ConfigureAwait(false)).Folder.Path;
        return TokenizerLoader.Load(directory);
    }
}
