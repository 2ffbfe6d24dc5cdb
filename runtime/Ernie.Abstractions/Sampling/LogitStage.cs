namespace Ernie.Sampling;

/// <summary>Where in the order of its changes a row of logits is looked at.</summary>
public enum LogitStage
{
    /// <summary>As the model gave it.</summary>
    Raw,

    /// <summary>As the sampler is given it: after all processors.</summary>
    Processed,
}
