using System.Globalization;
using Ernie.Kernels;

namespace Ernie.Gpu.Tests;

/// <summary>Sizes of the persistent kernel from a text such as <c>chunk=8192;ring=16;copies=3</c>, so that others can be tried without building anew.</summary>
internal static class PersistentVariant
{
    /// <summary>What ERNIE_PERSISTENT says, or the usual sizes.</summary>
    public static PersistentTuning FromEnvironment() => Parse(Environment.GetEnvironmentVariable("ERNIE_PERSISTENT") ?? "");

    /// <summary>The usual sizes, changed by what a text says.</summary>
    /// <param name="text">Fields with values, separated by semicolons.</param>
    public static PersistentTuning Parse(string text)
    {
        PersistentTuning tuning = new();
        foreach (string field in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] parts = field.Split('=');
            if (parts.Length != 2 || !int.TryParse(parts[1], CultureInfo.InvariantCulture, out int value))
                throw new FormatException($"'{field}' in '{text}' is not a field of the persistent kernel and a number, such as ring=8.");

            tuning = parts[0] switch
            {
                "chunk" => tuning with { ChunkBytes = value },
                "ring" => tuning with { RingChunks = value },
                "copies" => tuning with { CopiesInFlight = value },
                "clusters" => tuning with { MostClusters = value },
                "trace" => tuning with { Traces = value != 0 },
                _ => throw new FormatException($"'{parts[0]}' in '{text}' is not one of chunk, ring, copies, clusters, trace."),
            };
        }

        return tuning;
    }
}
