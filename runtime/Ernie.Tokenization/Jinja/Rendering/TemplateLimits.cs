namespace Ernie.Tokenization;

/// <summary>What a template may use up before it is stopped.</summary>
public sealed record TemplateLimits
{
    /// <summary>Longest source, in UTF-16 units.</summary>
    public int MaximumSourceCharacters { get; init; } = 1 << 20;

    /// <summary>Longest text, rendered or intermediate, in UTF-16 units.</summary>
    public int MaximumCharacters { get; init; } = 16 << 20;

    /// <summary>UTF-16 units of all intermediate texts together.</summary>
    public long MaximumTotalCharacters { get; init; } = 1L << 28;

    /// <summary>Expressions, statements and items; 32 characters that are read or written count as one.</summary>
    public long MaximumSteps { get; init; } = 20_000_000;

    /// <summary>Longest time of a rendering.</summary>
    public TimeSpan MaximumTime { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Macro calls inside each other.</summary>
    public int MaximumCallDepth { get; init; } = 100;
}
