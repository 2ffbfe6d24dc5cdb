namespace Ernie.Tokenization.Jinja;

/// <summary>The arguments of a call. What the callee does not read is refused afterwards, so that no argument is silently ignored.</summary>
/// <param name="callee">What is called, for errors.</param>
/// <param name="positional">Arguments by position.</param>
/// <param name="named">Arguments by name.</param>
internal sealed class CallArguments(string callee, List<object?> positional, Dictionary<string, object?>? named = null)
{
    private HashSet<string>? _readNames;
    private int _readCount;

    /// <summary>What is called.</summary>
    public string Callee { get; } = callee;

    /// <summary>Number of arguments by position.</summary>
    public int Count => positional.Count;

    /// <summary>Reads an argument that must be there.</summary>
    public object? Required(int index, string name) =>
        TryRead(index, name, out object? value) ? value : throw new TemplateError($"{Callee} needs the argument '{name}'");

    /// <summary>Reads an argument that may be absent.</summary>
    public object? Optional(int index, string name, object? fallback = null) => TryRead(index, name, out object? value) ? value : fallback;

    /// <summary>Reads a string that must be there.</summary>
    public TextValue RequiredText(int index, string name) => Values.RequireText(Required(index, name), Callee);

    /// <summary>Reads a string that may be absent or none.</summary>
    public TextValue? OptionalText(int index, string name) => Optional(index, name) is { } value ? Values.RequireText(value, Callee) : null;

    /// <summary>Reads an integer that may be absent.</summary>
    public int OptionalInteger(int index, string name, int fallback) => Optional(index, name) is { } value ? Values.RequireInteger(value, Callee) : fallback;

    /// <summary>Whether an argument is there, without reading it.</summary>
    public bool Has(int index, string name) => index < positional.Count || (named?.ContainsKey(name) ?? false);

    /// <summary>Reads an argument.</summary>
    public bool TryRead(int index, string name, out object? value)
    {
        value = null;
        if (index >= 0 && index < positional.Count)
        {
            _readCount = Math.Max(_readCount, index + 1);
            value = positional[index];
            return true;
        }

        if (named is null || !named.TryGetValue(name, out value)) return false;
        (_readNames ??= []).Add(name);
        return true;
    }

    /// <summary>Reads all arguments by position from an index on.</summary>
    public List<object?> Rest(int index)
    {
        _readCount = positional.Count;
        return index < positional.Count ? positional[index..] : [];
    }

    /// <summary>Reads all arguments by name that were not read yet.</summary>
    public IEnumerable<KeyValuePair<string, object?>> RestNamed()
    {
        KeyValuePair<string, object?>[] rest = [.. (named ?? []).Where(argument => _readNames is null || !_readNames.Contains(argument.Key))];
        foreach (KeyValuePair<string, object?> argument in rest) (_readNames ??= []).Add(argument.Key);
        return rest;
    }

    /// <summary>Counts the strings among them: whatever is called may read them.</summary>
    public void Spend(RenderState state)
    {
        foreach (object? value in positional) state.SpendText(value);
        foreach (object? value in named?.Values ?? Enumerable.Empty<object?>()) state.SpendText(value);
    }

    /// <summary>Refuses arguments that nothing read.</summary>
    public void RefuseUnread()
    {
        if (_readCount < positional.Count) throw new TemplateError($"{Callee} takes at most {_readCount} arguments by position; {positional.Count} are given");
        if (named is not null && named.Count > (_readNames?.Count ?? 0))
            throw new TemplateError($"{Callee} takes no argument '{named.Keys.First(name => _readNames is null || !_readNames.Contains(name))}'");
    }
}
