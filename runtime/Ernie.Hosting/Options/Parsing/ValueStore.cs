namespace Ernie.Hosting.Options.Parsing;

/// <summary>Collects values, sources that win first.</summary>
internal sealed class ValueStore
{
    /// <summary>The values, by the option's name.</summary>
    public Dictionary<string, OptionValue> Values { get; } = new(StringComparer.Ordinal);

    /// <summary>Keeps checked values, unless a source that wins gave some.</summary>
    /// <param name="definition">The row.</param>
    /// <param name="texts">What it reads.</param>
    /// <param name="source">Where from.</param>
    /// <param name="where">Where it was written, as a message begins.</param>
    /// <exception cref="OptionException">The same source gave another value before, and the option has one.</exception>
    public void Add(OptionDefinition definition, IReadOnlyList<string> texts, OptionSource source, string where)
    {
        if (!Values.TryGetValue(definition.Name, out OptionValue? existing))
        {
            Values[definition.Name] = new OptionValue(texts, source);
        }
        else if (existing.Source == source)
        {
            if (definition.Kind == OptionKind.TextList)
            {
                Values[definition.Name] = existing with { Texts = [.. existing.Texts, .. texts] };
            }
            else if (!definition.HasNoEffect && !existing.Texts.SequenceEqual(texts))
            {
                throw new OptionException($"{where} is given twice{(definition.IsSecret ? "" : $", as '{Excerpt.Of(existing.Texts[^1])}' and as '{Excerpt.Of(texts[^1])}'")}. It has one value: give it once.");
            }
        }
    }
}
