namespace Ernie.Kernels;

/// <summary>There are no kernels for a model.</summary>
/// <param name="message">What was found and what is needed.</param>
public sealed class KernelPlanException(string message) : Exception(message);
