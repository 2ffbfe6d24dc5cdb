using Ernie.Hosting;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;

namespace Ernie.Cli.Hosting;

/// <summary>A loaded model. Disposing it unloads it.</summary>
/// <param name="host">The engine and what belongs to its model.</param>
/// <param name="owner">What to dispose.</param>
internal sealed class ModelSession(IHostContext host, IAsyncDisposable owner) : IAsyncDisposable
{
    /// <summary>The engine and what belongs to its model.</summary>
    public IHostContext Host { get; } = host;

    /// <summary>Loads the model that options name.</summary>
    public static async Task<ModelSession> OpenAsync(OptionSet options, Func<OptionSet, OptionSet>? adjust, Action<string> progress, CancellationToken cancellationToken)
    {
        // Nobody else waits: what a command asks for is queued, whatever it is.
        OptionSet adjusted = (adjust?.Invoke(options) ?? options).With(ServerRows.MaxQueuedRequests, int.MaxValue);
        EngineSession session = await new EngineBuilder(adjusted) { Progress = progress }.BuildAsync(cancellationToken).ConfigureAwait(false);
        return new ModelSession(session, session);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => owner.DisposeAsync();
}
