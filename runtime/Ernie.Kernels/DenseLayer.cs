using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>The weights of one decoder layer.</summary>
/// <param name="InputNorm">[hidden].</param>
/// <param name="QueryKeyValue">[query + key + value widths, hidden].</param>
/// <param name="Output">[hidden, query width].</param>
/// <param name="PostAttentionNorm">[hidden].</param>
/// <param name="GateUp">[2 × intermediate, hidden], all of gate before all of up.</param>
/// <param name="Down">[hidden, intermediate].</param>
public sealed record DenseLayer(
    TensorReference InputNorm, LinearWeight QueryKeyValue, LinearWeight Output,
    TensorReference PostAttentionNorm, LinearWeight GateUp, LinearWeight Down);
