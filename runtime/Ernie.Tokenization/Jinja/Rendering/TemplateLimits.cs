namespace Ernie.Tokenization;

/// <summary>What a template may use up before it is stopped.</summary>
public sealed record TemplateLimits
{
    /// <summary>Longest text, rendered or intermediate, in UTF-16 units.</summary>
    public int MaximumCharacters { get; init; } = 16 << 20;

    /// <summary>UTF-16 units of all intermediate texts together.</summary>
    public long MaximumTotalCharacters { get; init; } = 1L << 30;

    /// <summary>Statements, calls, loop rounds and list items.</summary>
    public long MaximumSteps { get; init; } = 5_000_000;

    /// <summary>Macro calls inside each other.</summary>
    public int MaximumCallDepth { get; init; } = 100;
}
