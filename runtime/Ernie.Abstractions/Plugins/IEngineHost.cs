using Ernie.Generation;
using Ernie.Text;

namespace Ernie.Hosting;

/// <summary>A front end of an engine: a server, a console, a batch runner.</summary>
public interface IEngineHost
{
    /// <summary>Name by which a command line chooses it.</summary>
    string Name { get; }

    /// <summary>Runs until done or told to stop.</summary>
    /// <param name="context">The engine and what belongs to its model.</param>
    /// <param name="args">Arguments that the runtime's own options left over.</param>
    /// <param name="stopping">Asks the host to finish what runs and return.</param>
    /// <returns>The process's exit code.</returns>
    Task<int> RunAsync(IHostContext context, IReadOnlyList<string> args, CancellationToken stopping);
}

/// <summary>What a host works with. Owned by the runtime.</summary>
public interface IHostContext
{
    /// <summary>The engine.</summary>
    IEngine Engine { get; }

    /// <summary>The model's tokenizer.</summary>
    ITokenizer Tokenizer { get; }

    /// <summary>The model's chat template; null when the model has none.</summary>
    IChatTemplate? ChatTemplate { get; }

    /// <summary>Defaults of the model's generation_config.json.</summary>
    GenerationDefaults Defaults { get; }
}
