namespace Ernie.Tokenization.Jinja;

/// <summary>What <c>namespace()</c> gives: attributes that a loop's body may set.</summary>
internal sealed class NamespaceValue
{
    /// <summary>The attributes.</summary>
    public Dictionary<string, object?> Attributes { get; } = new(StringComparer.Ordinal);
}
