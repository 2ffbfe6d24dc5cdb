namespace Ernie.Hosting;

/// <summary>What a model's generation_config.json says about generation, for requests that are silent.</summary>
public sealed record GenerationDefaults
{
    /// <summary>Temperature; 0 when <c>do_sample</c> is false.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Top-p; 1 keeps all.</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Top-k; 0 or less keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Min-p; 0 keeps all.</summary>
    public float MinP { get; init; }

    /// <summary>Repetition penalty; 1 is none.</summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Ids at which a generation ends, ascending: eos of the configuration, and the template's separator.</summary>
    public IReadOnlyList<int> EndTokens { get; init; } = [];
}
