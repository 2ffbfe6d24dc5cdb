using Ernie.Server.Api;
using Ernie.Server.Generation;

namespace Ernie.Server.Streaming;

/// <summary>The events of one endpoint's streams.</summary>
internal interface IStreamFormat
{
    /// <summary>Writes what comes before the first delta.</summary>
    /// <param name="sse">Where to.</param>
    /// <param name="usage">Counts so far, when every chunk carries them.</param>
    void Begin(SseWriter sse, Usage? usage);

    /// <summary>Writes a delta; its end, if it has one, in a chunk of its own without text.</summary>
    void Write(SseWriter sse, ChoiceDelta delta, Usage? usage);

    /// <summary>Writes the chunk of usage, which has no choices.</summary>
    void WriteUsage(SseWriter sse, Usage usage);
}
