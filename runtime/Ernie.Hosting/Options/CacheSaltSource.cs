namespace Ernie.Hosting.Options;

/// <summary>What separates the prefix caches of callers, besides a request's own <c>cache_salt</c>.</summary>
public enum CacheSaltSource
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The API key.</summary>
    Key,
}
