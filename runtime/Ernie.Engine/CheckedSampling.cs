using Ernie.Sampling;

namespace Ernie.Engine;

/// <summary>A request's sampling, checked and ready. Choices of one request share it.</summary>
/// <param name="Sampler">The sampler that it names, or the default one.</param>
/// <param name="Parameters">The sampler's parameter block; never written again.</param>
/// <param name="Allowed">Tokens that may be drawn, ascending; null for all.</param>
internal sealed record CheckedSampling(ISampler Sampler, byte[] Parameters, int[]? Allowed);
