using System.Text.Json;

namespace Ernie.PlainFiles;

/// <summary>What is wrong with JSON, and where, said once.</summary>
internal static class JsonProblem
{
    /// <summary>The reader's message without the place that it adds, which counts from zero.</summary>
    public static string Of(JsonException error)
    {
        int end = error.Message.Length;
        foreach (string mark in (ReadOnlySpan<string>)[" Path: ", " LineNumber: "])
        {
            int found = error.Message.IndexOf(mark, StringComparison.Ordinal);
            if (found >= 0) end = Math.Min(end, found);
        }

        return error.Message[..end];
    }

    /// <summary>The place, as editors count.</summary>
    public static string PlaceOf(JsonException error) => $"line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}";
}
