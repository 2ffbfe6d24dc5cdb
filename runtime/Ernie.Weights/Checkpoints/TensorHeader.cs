using System.Collections.Immutable;

namespace Ernie.Weights;

/// <summary>One checked entry of a safetensors header.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="DataType">Type of the elements.</param>
/// <param name="Shape">Dimensions, outermost first.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">The byte after the last.</param>
internal sealed record TensorHeader(string Name, TensorDataType DataType, ImmutableArray<long> Shape, long Begin, long End);
