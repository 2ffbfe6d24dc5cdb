using System.Collections;
using Ernie.Graph;

namespace Ernie.Models;

/// <summary>A model's weight table by the names that its family gives the rows.</summary>
public sealed class WeightTable : IEnumerable<KeyValuePair<string, WeightPattern>>
{
    private readonly Dictionary<string, WeightPattern> _rows = new(StringComparer.Ordinal);

    /// <summary>Adds a row.</summary>
    /// <param name="name">Its name: <c>Query</c>.</param>
    /// <param name="pattern">Its tensors.</param>
    /// <exception cref="ArgumentException">There is a row of that name.</exception>
    public void Add(string name, WeightPattern pattern) => _rows.Add(name, pattern);

    /// <summary>A row.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="KeyNotFoundException">The family's table has no such row.</exception>
    public WeightPattern this[string name] => _rows.TryGetValue(name, out WeightPattern? pattern)
        ? pattern
        : throw new KeyNotFoundException($"The weight table has no '{name}'; it has {string.Join(", ", _rows.Keys)}.");

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, WeightPattern>> GetEnumerator() => _rows.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
