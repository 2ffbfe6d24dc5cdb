namespace Ernie.Generators;

/// <summary>Decides what is emitted for a model: its class's name and its weight table.</summary>
public static class GraphSpecBuilder
{
    /// <summary>Builds the spec of what is emitted.</summary>
    /// <param name="modelName">Name of the model.</param>
    /// <param name="model">Its numbers.</param>
    public static GraphSpec Build(string modelName, ModelSpec model) =>
        new(modelName, ClassNames.For(modelName), model, new EquatableArray<WeightSpec>(ModelFamilies.Named(model.Family).Weights(model)));
}
