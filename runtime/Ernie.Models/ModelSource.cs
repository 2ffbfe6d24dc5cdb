namespace Ernie.Models;

/// <summary>Where a model's graph came from.</summary>
public enum ModelSource
{
    /// <summary>It is compiled into this assembly.</summary>
    CompiledIn,

    /// <summary>It was compiled by an earlier run and found in the cache.</summary>
    Cache,

    /// <summary>It was compiled now.</summary>
    CompiledNow,
}
