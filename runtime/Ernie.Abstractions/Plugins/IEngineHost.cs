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

/// <summary>A model's own defaults.</summary>
public sealed record GenerationDefaults
{
    /// <summary>Temperature; 0 when <c>do_sample</c> is false.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Top-p.</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Top-k; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Repetition penalty.</summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Tokens that end a generation (eos of the configuration, and the template's separator).</summary>
    public IReadOnlyList<int> EndTokens { get; init; } = [];
}
