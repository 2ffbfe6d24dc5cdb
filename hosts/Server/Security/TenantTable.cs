using System.Collections.Concurrent;

namespace Ernie.Server.Security;

/// <summary>
/// Numbers the tenants that cache policies tell apart: first the API keys in the order they are given, keys of one name being one
/// tenant, then the values of the tenant header in the order they come.
/// </summary>
internal sealed class TenantTable
{
    /// <summary>Tenants told apart. A policy keeps an account for each, so a header cannot make them without end; later ones are tenant 0.</summary>
    public const int MostTenants = 1024;

    private readonly ConcurrentDictionary<string, int> _byName = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private int _count;

    /// <summary>Numbers the keys.</summary>
    public TenantTable(IReadOnlyList<ApiKey> keys)
    {
        KeyTenants = [.. keys.Select(key => key.Name is { } name ? NumberOf(name) : ++_count)];
    }

    /// <summary>The tenant of each key.</summary>
    public IReadOnlyList<int> KeyTenants { get; }

    /// <summary>The tenant of a name, numbered when it is new.</summary>
    public int NumberOf(string name)
    {
        if (_byName.TryGetValue(name, out int known))
            return known;
        lock (_lock)
        {
            if (_byName.TryGetValue(name, out known))
                return known;
            if (_count >= MostTenants)
                return 0;
            _byName[name] = ++_count;
            return _count;
        }
    }
}
