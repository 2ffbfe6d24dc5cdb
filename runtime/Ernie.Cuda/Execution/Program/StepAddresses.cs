namespace Ernie.Cuda.Execution;

/// <summary>Addresses that change from step to step.</summary>
/// <param name="PrefillTiles">The tiles of rows of several tokens.</param>
/// <param name="LogitTokens">The list of tokens whose logits are wanted.</param>
/// <param name="LogitCount">The length of that list.</param>
internal readonly record struct StepAddresses(ulong PrefillTiles, ulong LogitTokens, ulong LogitCount);
