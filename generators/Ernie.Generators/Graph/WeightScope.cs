namespace Ernie.Generators;

/// <summary>How many tensors a row of the weight table stands for.</summary>
public enum WeightScope
{
    /// <summary>One in the model.</summary>
    Model,

    /// <summary>One in every layer that has it.</summary>
    Layer,

    /// <summary>One for every expert of a layer.</summary>
    Expert,
}
