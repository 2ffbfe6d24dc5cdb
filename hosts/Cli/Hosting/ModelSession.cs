using Ernie.Hosting;
using Ernie.Hosting.Options;

namespace Ernie.Cli.Hosting;

/// <summary>A loaded model. Disposing it unloads it.</summary>
/// <param name="host">The engine and what belongs to its model.</param>
/// <param name="owner">What to dispose.</param>
internal sealed class ModelSession(IHostContext host, IAsyncDisposable owner) : IAsyncDisposable
{
    /// <summary>The engine and what belongs to its model.</summary>
    public IHostContext Host { get; } = host;

    /// <summary>Loads the model that options name.</summary>
    public static async Task<ModelSession> OpenAsync(OptionSet options, Action<EngineOptions>? adjust, Action<string> progress, CancellationToken cancellationToken)
    {
        EngineOptions engine = EngineOptions.Create(options);
        adjust?.Invoke(engine);
        EngineSession session = await new EngineBuilder(ModelOptions.Create(options), engine) { Progress = progress }.BuildAsync(cancellationToken).ConfigureAwait(false);
        return new ModelSession(session, session);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => owner.DisposeAsync();
}
