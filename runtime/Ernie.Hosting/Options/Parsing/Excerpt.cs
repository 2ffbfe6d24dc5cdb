namespace Ernie.Hosting.Options.Parsing;

/// <summary>What messages show of what users wrote.</summary>
internal static class Excerpt
{
    private const int MostCharacters = 200;

    /// <summary>The text, cut where it is long.</summary>
    public static string Of(string text) => text.Length <= MostCharacters ? text : text[..MostCharacters] + "…";
}
