using System.Collections.Immutable;

namespace Ernie.Graph;

/// <summary>A weight matrix [out, in], made of tensors laid one after the other along the outputs.</summary>
/// <remarks>Each part is quantised on its own, so that fusing parts changes no number.</remarks>
/// <param name="Parts">Tensors in the order of the outputs; at least one, all with the same columns.</param>
/// <param name="Role">What the weight is for.</param>
public sealed record LinearWeight(ImmutableArray<TensorReference> Parts, WeightRole Role)
{
    /// <summary>A weight of one tensor.</summary>
    /// <param name="tensor">The tensor, [out, in].</param>
    /// <param name="role">What it is for.</param>
    public LinearWeight(TensorReference tensor, WeightRole role)
        : this([tensor], role)
    {
    }

    /// <summary>How the weight is stored; assigned by <see cref="AssignQuantization"/>.</summary>
    public WeightEncoding Encoding { get; init; } = WeightEncoding.Bf16;

    /// <summary>Outputs.</summary>
    public int OutFeatures => Parts.Sum(part => part.Rows);

    /// <summary>Inputs.</summary>
    public int InFeatures => Parts[0].Columns ?? 0;

    /// <inheritdoc/>
    public override string ToString() => $"{string.Join(" ++ ", Parts)} {Encoding}";
}
