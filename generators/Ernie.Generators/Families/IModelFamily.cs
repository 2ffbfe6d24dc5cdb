namespace Ernie.Generators;

/// <summary>What a family's configs and checkpoints look like. Its graph is built by the class of the same folder in <c>Ernie.Models/Families</c>.</summary>
internal interface IModelFamily
{
    /// <summary>Name of the family's folder, here and in <c>Ernie.Models</c>: <c>Ernie45</c>.</summary>
    string Name { get; }

    /// <summary>Values of <c>architectures</c> that are this family.</summary>
    IReadOnlyList<string> Architectures { get; }

    /// <summary>Values of <c>model_type</c> that are this family, for configs that list no architecture.</summary>
    IReadOnlyList<string> ModelTypes { get; }

    /// <summary>Reads a config; what is wrong is reported where it stands.</summary>
    /// <param name="config">The config.</param>
    /// <param name="names">The config's architectures, or its model type where it lists none.</param>
    /// <returns>The model's numbers; meaningless after a report.</returns>
    ModelSpec Read(ConfigObject config, IReadOnlyList<string> names);

    /// <summary>The weight table in the order of use.</summary>
    /// <param name="model">The model's numbers.</param>
    IEnumerable<WeightSpec> Weights(ModelSpec model);
}
