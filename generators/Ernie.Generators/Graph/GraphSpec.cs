namespace Ernie.Generators;

/// <summary>What is emitted for a model: its class, its numbers and its weight table.</summary>
/// <param name="ModelName">Name of the model: <c>ernie-4.5-0.3b</c>.</param>
/// <param name="ClassName">Name of the class: <c>Ernie45_0_3B</c>.</param>
/// <param name="Model">The model's numbers.</param>
/// <param name="Weights">The weight table in the order of use.</param>
public sealed record GraphSpec(string ModelName, string ClassName, ModelSpec Model, EquatableArray<WeightSpec> Weights);
