namespace Ernie.Graph;

/// <summary>How a value of a whole graph lies over the ranks of a cut one.</summary>
internal enum Distribution
{
    /// <summary>Every rank has all of it.</summary>
    Whole,

    /// <summary>Every rank has some of its columns.</summary>
    Split,

    /// <summary>Every rank has a summand of it.</summary>
    Summand,
}
