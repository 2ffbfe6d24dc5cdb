namespace Ernie.Generators;

/// <summary>A row of a model's weight table, in terms of the generated class's constants.</summary>
/// <param name="Member">Name of the field: <c>Query</c>.</param>
/// <param name="Pattern">Name in the checkpoint: <c>model.layers.{layer}.self_attn.q_proj.weight</c>.</param>
/// <param name="Rows">Constant with the first dimension.</param>
/// <param name="Columns">Constant with the second, or null for a vector.</param>
/// <param name="Scope">How many tensors the row stands for.</param>
/// <param name="Summary">What the tensor is for.</param>
public sealed record WeightSpec(string Member, string Pattern, string Rows, string? Columns, WeightScope Scope, string Summary);
