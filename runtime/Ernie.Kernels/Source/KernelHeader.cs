namespace Ernie.Kernels;

/// <summary>A template file.</summary>
/// <param name="Name">As includes spell it: ernie/common/types.cuh.</param>
/// <param name="Text">Its text.</param>
public sealed record KernelHeader(string Name, string Text);
