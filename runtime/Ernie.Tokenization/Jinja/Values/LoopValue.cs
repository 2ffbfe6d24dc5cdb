namespace Ernie.Tokenization.Jinja;

/// <summary>The variable <c>loop</c> in the body of a <c>for</c>.</summary>
internal sealed class LoopValue(List<object?> items)
{
    private object? _lastChanged;
    private bool _hasChanged;

    /// <summary>Zero-based round.</summary>
    public int Index { get; set; }

    /// <summary>An attribute, or an undefined value.</summary>
    public object? Get(string name) => name switch
    {
        "index" => (long)Index + 1,
        "index0" => (long)Index,
        "revindex" => (long)items.Count - Index,
        "revindex0" => (long)items.Count - Index - 1,
        "first" => Index == 0,
        "last" => Index == items.Count - 1,
        "length" => (long)items.Count,
        // Counts the levels of a recursive loop, which is not supported.
        "depth" => 1L,
        "depth0" => 0L,
        "previtem" => Index > 0 ? items[Index - 1] : new UndefinedValue("there is no previous item"),
        "nextitem" => Index + 1 < items.Count ? items[Index + 1] : new UndefinedValue("there is no next item"),
        "cycle" => new Callable("loop.cycle", (_, arguments) => Cycle(arguments.Rest(0))),
        "changed" => new Callable("loop.changed", (state, arguments) => Changed(state, arguments.Rest(0))),
        _ => new UndefinedValue($"the loop has no attribute '{name}'"),
    };

    private object? Cycle(List<object?> choices) => choices.Count > 0 ? choices[Index % choices.Count] : throw new TemplateError("loop.cycle needs at least one argument");

    private bool Changed(RenderState state, List<object?> values)
    {
        var current = new ListValue(values);
        bool changed = !_hasChanged || !Values.AreEqual(state, _lastChanged, current);
        (_lastChanged, _hasChanged) = (current, true);
        return changed;
    }
}
