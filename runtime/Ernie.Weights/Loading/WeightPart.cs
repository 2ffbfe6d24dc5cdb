namespace Ernie.Weights;

/// <summary>One tensor of a linear layer, by its torch name.</summary>
/// <param name="Name">Such as <c>model.layers.0.self_attn.q_proj.weight</c>.</param>
/// <param name="Rows">Output features.</param>
/// <param name="Columns">Input features.</param>
public readonly record struct WeightPart(string Name, int Rows, int Columns);
