namespace Ernie.Weights;

/// <summary>How a checkpoint stores the weight of a linear layer.</summary>
public enum CheckpointLayout
{
    /// <summary>[out, in], names as transformers gives them.</summary>
    Torch,

    /// <summary>[in, out], as Paddle's linear layers.</summary>
    Paddle,
}
