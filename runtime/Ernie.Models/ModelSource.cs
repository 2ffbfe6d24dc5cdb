namespace Ernie.Models;

/// <summary>Where a model's graph came from.</summary>
public enum ModelSource
{
    /// <summary>Its config was compiled into this assembly.</summary>
    CompiledIn,

    /// <summary>It was built from the checkpoint's config at start.</summary>
    Config,
}
