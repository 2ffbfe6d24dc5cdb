namespace Ernie.Hosting.Options.Parsing;

/// <summary>Finds what a mistyped name was meant to be.</summary>
internal static class NearestName
{
    /// <summary>The candidate with the smallest edit distance, if it is near enough to be meant.</summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        string? nearest = null;
        int best = int.MaxValue;
        foreach (string candidate in candidates)
        {
            int distance = Distance(name, candidate);
            if (distance < best)
            {
                (best, nearest) = (distance, candidate);
            }
        }

        // Further apart than half of its letters, a name was not meant.
        return best <= Math.Max(2, name.Length / 2) ? nearest : null;
    }

    // Levenshtein distance, one row at a time.
    private static int Distance(string a, string b)
    {
        int[] row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                int substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(Math.Min(above + 1, row[j - 1] + 1), substituted);
                diagonal = above;
            }
        }

        return row[b.Length];
    }
}
