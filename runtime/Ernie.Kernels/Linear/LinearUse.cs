using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>What a linear is to the kernels that multiply by it: its weight, what its outputs become, and whether its input is still to be normalised.</summary>
/// <param name="Name">Short name of the linear.</param>
/// <param name="Weight">The weight.</param>
/// <param name="Epilogue">What happens to the outputs: an enumerator of ernie::Epilogue.</param>
/// <param name="EpilogueConstants">What that needs to know.</param>
/// <param name="Normalizes">Whether the input is the residual times a norm's gain, and the sums are to be divided by its root mean square.</param>
/// <param name="Epsilon">What the norm adds to the mean square.</param>
internal sealed record LinearUse(
    string Name, LinearWeight Weight, string Epilogue, IReadOnlyList<KernelConstant> EpilogueConstants, bool Normalizes, float Epsilon)
{
    /// <summary>The weight's shape and the epilogue.</summary>
    public IReadOnlyList<KernelConstant> ShapeConstants =>
    [
        KernelConstant.Of("kInputs", Weight.InFeatures), KernelConstant.Of("kOutputs", Weight.OutFeatures),
        KernelConstant.Of("ernie::Epilogue", "kEpilogue", "ernie::Epilogue::" + Epilogue),
        .. EpilogueConstants,
    ];

    /// <summary>How the weight is packed, and <see cref="ShapeConstants"/>.</summary>
    public IReadOnlyList<KernelConstant> PackedConstants =>
    [
        KernelConstant.Of("ernie::WeightFormat", "kFormat", "ernie::WeightFormat::" + PackedFormat.ConstantName(Weight.Encoding.Format)),
        KernelConstant.Of("kGroup", Weight.Encoding.GroupSize),
        .. ShapeConstants,
    ];

    /// <summary>The norms in front of the linear and behind it.</summary>
    public IReadOnlyList<KernelConstant> NormConstants =>
    [
        KernelConstant.Of("kNormalizes", Normalizes), KernelConstant.Of("kPreparesNorm", Epilogue == "kResidual"),
        .. Normalizes ? [KernelConstant.Of("kEpsilon", Epsilon)] : (KernelConstant[])[],
    ];
}
