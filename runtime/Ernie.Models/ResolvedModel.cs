namespace Ernie.Models;

/// <summary>A model found for a checkpoint.</summary>
/// <param name="Definition">The model.</param>
/// <param name="Source">Where it came from.</param>
public sealed record ResolvedModel(ModelDefinition Definition, ModelSource Source);
