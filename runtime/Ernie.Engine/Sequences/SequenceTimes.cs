namespace Ernie.Engine.Sequences;

/// <summary>When a sequence reached what, in ticks of the stopwatch; 0 until then.</summary>
internal sealed class SequenceTimes
{
    /// <summary>It was submitted.</summary>
    public required long Submitted { get; init; }

    /// <summary>It was first admitted.</summary>
    public long Admitted { get; set; }

    /// <summary>Its first token was drawn.</summary>
    public long FirstToken { get; private set; }

    /// <summary>Its latest token was drawn.</summary>
    public long LastToken { get; private set; }

    /// <summary>A token was drawn.</summary>
    public void TokenDrawn(long now)
    {
        FirstToken = FirstToken == 0 ? now : FirstToken;
        LastToken = now;
    }
}
