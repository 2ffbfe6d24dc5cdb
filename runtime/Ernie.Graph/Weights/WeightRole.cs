namespace Ernie.Graph;

/// <summary>What a linear weight is for; a quantisation recipe chooses by it.</summary>
public enum WeightRole
{
    /// <summary>Query, key, value and output projections.</summary>
    AttentionProjection,

    /// <summary>Gate, up and down projections of a dense or shared feed-forward layer.</summary>
    MlpProjection,

    /// <summary>Gate, up and down projections of a routed expert.</summary>
    Expert,

    /// <summary>Scores the experts; computed in f32 and never quantised.</summary>
    Router,

    /// <summary>Projection to the vocabulary.</summary>
    Head,
}
