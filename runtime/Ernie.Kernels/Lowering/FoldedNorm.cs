using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>A norm that the product behind it sees to.</summary>
/// <param name="Gain">[width].</param>
/// <param name="Epsilon">Added to the mean square.</param>
public sealed record FoldedNorm(TensorReference Gain, double Epsilon);
