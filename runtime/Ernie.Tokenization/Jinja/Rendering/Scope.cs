namespace Ernie.Tokenization.Jinja;

/// <summary>Variables of a template, of one round of a loop, or of one call of a macro.</summary>
/// <param name="parent">Where variables are looked up that are not set here.</param>
internal sealed class Scope(Scope? parent)
{
    private Dictionary<string, object?>? _variables;

    /// <summary>Sets a variable in this scope.</summary>
    public void Set(string name, object? value) => (_variables ??= new Dictionary<string, object?>(StringComparer.Ordinal))[name] = value;

    /// <summary>Looks a variable up.</summary>
    public bool TryGet(string name, out object? value)
    {
        for (Scope? scope = this; scope is not null; scope = scope.Parent)
            if (scope._variables is not null && scope._variables.TryGetValue(name, out value)) return true;
        value = null;
        return false;
    }

    private Scope? Parent { get; } = parent;
}
