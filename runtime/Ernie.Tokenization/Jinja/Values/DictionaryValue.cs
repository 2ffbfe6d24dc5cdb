namespace Ernie.Tokenization.Jinja;

/// <summary>A dictionary in order of insertion. Keys are strings, numbers or booleans.</summary>
internal sealed class DictionaryValue
{
    private readonly OrderedDictionary<object, object?> _entries = [];

    /// <summary>Keys and values in order.</summary>
    public IEnumerable<KeyValuePair<object, object?>> Entries => _entries;

    /// <summary>Number of keys.</summary>
    public int Count => _entries.Count;

    /// <summary>Sets a key.</summary>
    /// <exception cref="TemplateError">It cannot be a key.</exception>
    public void Set(object? key, object? value) =>
        _entries[key is TextValue or long or double or bool ? key : throw new TemplateError($"{Values.TypeName(key)} cannot be a key")] = value;

    /// <summary>Gets a key's value.</summary>
    public bool TryGet(object? key, out object? value)
    {
        value = null;
        return key is not null && _entries.TryGetValue(key, out value);
    }

    /// <summary>Gets the value of a string key.</summary>
    public bool TryGet(string key, out object? value) => _entries.TryGetValue(TextValue.OfTemplate(key), out value);
}
