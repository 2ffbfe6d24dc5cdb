using Ernie.Generation;
using Ernie.Server.Metrics.Recording;

namespace Ernie.Server.Metrics.Catalogue;

/// <summary>What the tables of names read: the state of one moment.</summary>
/// <param name="Server">The server's own counts.</param>
/// <param name="Recorder">Measurements of every instrument.</param>
/// <param name="Engine">The engine's counts.</param>
/// <param name="Info">What does not change.</param>
internal sealed record MetricView(ServerMetrics Server, MeterRecorder Recorder, EngineStatistics Engine, EngineInfo Info)
{
    /// <summary>Share of the pages that running sequences own.</summary>
    public double CacheUsage => Share(Engine.PagesInUse, Info.PageCount);

    /// <summary>Pages that a new sequence could have: free ones, and those of the prefix cache that nobody uses.</summary>
    public int AvailablePages => Engine.PagesFree + Engine.PagesEvictable;

    /// <summary>Share of the prompt tokens that came from the prefix cache.</summary>
    public double TokenHitRate => Share(Engine.CachedTokens, Engine.PromptTokens);

    /// <summary>A part of a whole; 0 of nothing.</summary>
    public static double Share(double part, double whole) => whole == 0 ? 0 : part / whole;

    /// <summary>The last measurement of an instrument.</summary>
    public double Last(string instrument) => Recorder.Find(instrument)?.Last ?? 0;
}
