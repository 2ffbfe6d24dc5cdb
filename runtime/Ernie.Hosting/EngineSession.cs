using Ernie.Generation;
using Ernie.Graph;
using Ernie.Hosting.Plugins;
using Ernie.Text;
using Ernie.Weights;

namespace Ernie.Hosting;

/// <summary>A running engine and everything that belongs to its model. Disposing it ends the engine and lets go of the weights.</summary>
public sealed class EngineSession : IHostContext, IAsyncDisposable
{
    private readonly Checkpoint _checkpoint;

    internal EngineSession(IEngine engine, Checkpoint checkpoint)
    {
        Engine = engine;
        _checkpoint = checkpoint;
    }

    /// <inheritdoc/>
    public IEngine Engine { get; }

    /// <inheritdoc/>
    public required ITokenizer Tokenizer { get; init; }

    /// <inheritdoc/>
    public required IChatTemplate? ChatTemplate { get; init; }

    /// <inheritdoc/>
    public required GenerationDefaults Defaults { get; init; }

    /// <summary>The model after the shared passes.</summary>
    public required ModelGraph Graph { get; init; }

    /// <summary>The model's folder.</summary>
    public required string ModelDirectory { get; init; }

    /// <summary>The plugins that were found.</summary>
    public required PluginCatalog Plugins { get; init; }

    /// <summary>The parts of the start, in order; those that ran beside others are named so.</summary>
    public required IReadOnlyList<StartupPhase> Phases { get; init; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync().ConfigureAwait(false);
        _checkpoint.Dispose();
    }
}
