using System.Globalization;

namespace Ernie.Gpu.Tests;

/// <summary>Where benchmarks put their lines: the console, and the file that ERNIE_BENCH_FILE names. Lines begin with "bench".</summary>
internal static class BenchmarkReport
{
    private static readonly string s_file = Environment.GetEnvironmentVariable("ERNIE_BENCH_FILE") ?? "";

    public static void Report(FormattableString text)
    {
        string line = "bench " + text.ToString(CultureInfo.InvariantCulture);
        Console.WriteLine(line);
        if (s_file.Length > 0)
            File.AppendAllText(s_file, line + Environment.NewLine);
    }
}
