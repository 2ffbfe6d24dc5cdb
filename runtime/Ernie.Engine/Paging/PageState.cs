namespace Ernie.Engine.Paging;

/// <summary>Who owns a page.</summary>
internal enum PageState : byte
{
    /// <summary>Nobody.</summary>
    Free,

    /// <summary>One sequence, which alone reads and writes it.</summary>
    Sequence,

    /// <summary>The prefix cache; sequences under a lease read it, nobody writes it.</summary>
    Cache,
}
