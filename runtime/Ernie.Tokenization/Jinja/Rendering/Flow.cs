namespace Ernie.Tokenization.Jinja;

/// <summary>What happens after a statement.</summary>
internal enum Flow
{
    /// <summary>The next statement.</summary>
    Next,

    /// <summary>The innermost loop ends.</summary>
    Break,

    /// <summary>The innermost loop's next round.</summary>
    Continue,
}
