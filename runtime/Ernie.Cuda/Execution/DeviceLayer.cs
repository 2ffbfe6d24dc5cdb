namespace Ernie.Cuda.Execution;

/// <summary>A layer's weights on the device.</summary>
/// <param name="InputNorm">Address, bf16 [hidden].</param>
/// <param name="QueryKeyValue">Query, key and value rows.</param>
/// <param name="Output">Output projection.</param>
/// <param name="PostAttentionNorm">Address, bf16 [hidden].</param>
/// <param name="GateUp">Rows of gate and up in turn.</param>
/// <param name="Down">Down projection.</param>
internal sealed record DeviceLayer(
    ulong InputNorm, DeviceLinear QueryKeyValue, DeviceLinear Output, ulong PostAttentionNorm, DeviceLinear GateUp, DeviceLinear Down);
