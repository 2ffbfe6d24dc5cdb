namespace Ernie.Generators;

/// <summary>What became of a config: a spec, or what is wrong with it.</summary>
/// <param name="ModelName">Name of the model.</param>
/// <param name="Path">The file.</param>
/// <param name="Spec">The spec; null exactly when there are diagnostics.</param>
/// <param name="Diagnostics">What is wrong, in the order of the checks.</param>
public sealed record ParsedModel(string ModelName, string Path, ModelSpec? Spec, EquatableArray<ConfigDiagnostic> Diagnostics);
