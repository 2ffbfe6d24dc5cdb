namespace Ernie.Weights;

/// <summary>Where one projection lies in a tensor that holds several, along the output dimension.</summary>
internal enum FusedSlice
{
    /// <summary>The tensor is the projection and nothing else.</summary>
    Whole,

    /// <summary>q of q, k, v: the first rows; k and v share the rest equally.</summary>
    QueryOfThree,

    /// <summary>k of q, k, v: as many rows as v, before it.</summary>
    KeyOfThree,

    /// <summary>v of q, k, v: the last rows.</summary>
    ValueOfThree,

    /// <summary>gate of gate, up: the first half.</summary>
    FirstOfTwo,

    /// <summary>up of gate, up: the second half.</summary>
    SecondOfTwo,
}
