using System.Runtime.Intrinsics;

namespace Ernie.Cpu.Memory;

/// <summary>How 16 consecutive values are read from memory as f32; a type parameter, so that each kernel is compiled for its storage.</summary>
/// <typeparam name="TElement">Storage of one value.</typeparam>
internal unsafe interface IStoredElement<TElement> where TElement : unmanaged
{
    /// <summary>Reads 16 values.</summary>
    static abstract Vector512<float> Load(TElement* source);
}
