namespace Ernie.Server.Hosting;

/// <summary>What separates the prefix caches of callers, besides a request's own <c>cache_salt</c>.</summary>
internal enum CacheSaltSource
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The API key.</summary>
    Key,
}
