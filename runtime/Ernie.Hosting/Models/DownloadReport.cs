using Ernie.Weights;

namespace Ernie.Hosting.Models;

/// <summary>Turns a download's progress into a line every few seconds.</summary>
internal sealed class DownloadReport(string model, Action<string> write) : IProgress<HubProgress>
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private long _reportedAt;

    /// <inheritdoc/>
    public void Report(HubProgress value)
    {
        lock (_gate)
        {
            long now = Environment.TickCount64;
            if (_reportedAt != 0 && now - _reportedAt < s_interval.TotalMilliseconds)
            {
                return;
            }

            _reportedAt = now;
        }

        string total = value.TotalBytes is { } bytes ? $" of {bytes >> 20}" : "";
        write($"downloading {model}: {value.File}, {value.Bytes >> 20}{total} MiB");
    }
}
