namespace Ernie.Sampling;

/// <summary>A processor that a request uses, and the state that it has written for it.</summary>
/// <param name="Processor">The processor.</param>
/// <param name="State">Its block; not changed after the request began.</param>
public readonly record struct ProcessorState(ILogitsProcessor Processor, byte[] State);
