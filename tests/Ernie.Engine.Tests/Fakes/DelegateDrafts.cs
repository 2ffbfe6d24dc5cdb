using Ernie.Engine.Drafting;

namespace Ernie.Engine.Tests.Fakes;

/// <summary>Drafts that are a function of the tokens so far; what does not fit is left out.</summary>
internal sealed class DelegateDrafts(int maxDrafts, Func<int[], IEnumerable<int>> propose) : IDraftSource
{
    public int MaxDrafts => maxDrafts;

    /// <summary>The longest span that proposals were asked for.</summary>
    public int MostAsked { get; private set; }

    public int Propose(ReadOnlySpan<int> tokens, Span<int> drafts)
    {
        MostAsked = Math.Max(MostAsked, drafts.Length);
        int[] proposed = [.. propose(tokens.ToArray()).Take(drafts.Length)];
        proposed.CopyTo(drafts);
        return proposed.Length;
    }
}
