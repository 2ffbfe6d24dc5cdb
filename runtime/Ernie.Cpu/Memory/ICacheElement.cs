using System.Runtime.Intrinsics;

namespace Ernie.Cpu.Memory;

/// <summary>How keys and values are kept in pages. Formats with a largest code have a factor per token and head: what is stored are multiples of it.</summary>
/// <typeparam name="TElement">Storage of one value.</typeparam>
internal unsafe interface ICacheElement<TElement> : IStoredElement<TElement> where TElement : unmanaged
{
    /// <summary>What the largest magnitude of a token's head becomes; 0 where values are kept as they are.</summary>
    static abstract float LargestCode { get; }

    /// <summary>Stores 16 values, each rounded to the nearest that there is, ties to even.</summary>
    /// <param name="values">Values, or multiples of their factor.</param>
    /// <param name="target">[16]; overwritten.</param>
    static abstract void Store(Vector512<float> values, TElement* target);
}
