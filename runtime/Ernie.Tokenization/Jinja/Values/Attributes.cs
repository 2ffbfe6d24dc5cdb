using Ernie.Text;

namespace Ernie.Tokenization.Jinja;

/// <summary>Attributes, items and slices of values.</summary>
internal static class Attributes
{
    /// <summary><c>value.name</c>: a method, else an entry.</summary>
    /// <exception cref="TemplateError">The value itself is undefined.</exception>
    public static object? GetAttribute(object? value, string name) => Find(value, name) switch
    {
        (true, var found) => found,
        _ => new UndefinedValue($"{Values.TypeName(value)} has no attribute '{name}'"),
    };

    /// <summary><c>value[key]</c>: an entry, else a method; counts the key.</summary>
    /// <exception cref="TemplateError">The value itself is undefined.</exception>
    public static object? GetItem(RenderState state, object? value, object? key)
    {
        state.SpendText(key);
        switch (value)
        {
            case DictionaryValue dictionary when dictionary.TryGet(key, out object? found): return found;
            case ListValue list when key is long or bool: return At(list.Items.Count, Values.ToLong(key), out int index) ? list.Items[index] : Missing(value, key);
            case TextValue text when key is long or bool: return At(text.Count, Values.ToLong(key), out int index2) ? text.Range(index2, 1, 1) : Missing(value, key);
        }

        return key is TextValue name ? GetAttribute(value, name.Text) : value is UndefinedValue undefined ? throw new TemplateError(undefined.Description) : Missing(value, key);
    }

    /// <summary><c>value[start:stop:step]</c> of a list or string.</summary>
    /// <exception cref="TemplateError">Another type, or a step of zero.</exception>
    public static object? Slice(RenderState state, object? value, object? start, object? stop, object? step)
    {
        if (value is not (TextValue or ListValue)) throw new TemplateError($"{Values.TypeName(value)} cannot be sliced");
        int length = Values.Count(value);
        int stride = step is null ? 1 : Values.RequireInteger(step, "a slice's step");
        if (stride is 0 or int.MinValue) throw new TemplateError($"a slice's step cannot be {stride}");
        int first = Bound(start, length, stride > 0 ? 0 : length - 1, stride);
        int end = Bound(stop, length, stride > 0 ? length : -1, stride);
        long distance = stride > 0 ? (long)end - first : (long)first - end;
        int count = distance <= 0 ? 0 : (int)((distance + Math.Abs(stride) - 1) / Math.Abs(stride));
        if (value is TextValue text)
        {
            state.SpendNewText(count);
            // Every character is a text of its own on the way.
            if (stride != 1) state.Spend((long)count * Values.StepsPerNewItem);
            return text.Range(first, count, stride);
        }

        state.Spend(count);
        var list = (ListValue)value;
        return new ListValue([.. Enumerable.Range(0, count).Select(index => list.Items[first + (index * stride)])], list.IsTuple);
    }

    private static (bool Found, object? Value) Find(object? value, string name)
    {
        switch (value)
        {
            case UndefinedValue undefined: throw new TemplateError(undefined.Description);
            case TextValue text: return Found(TextMethods.Find(text, name));
            case ListValue list: return Found(CollectionMethods.Find(list, name));
            case DictionaryValue dictionary when CollectionMethods.Find(dictionary, name) is { } method: return (true, method);
            case DictionaryValue dictionary: return (dictionary.TryGet(name, out object? entry), entry);
            case NamespaceValue space: return (space.Attributes.TryGetValue(name, out object? attribute), attribute);
            case LoopValue loop: return (true, loop.Get(name));
            default: return (false, null);
        }
    }

    private static (bool Found, object? Value) Found(Callable? method) => (method is not null, method);

    private static UndefinedValue Missing(object? value, object? key) => new($"{Values.TypeName(value)} has no item {(key is TextValue text ? $"'{Excerpt.Of(text.Text, 100)}'" : key is long or double or bool ? key : Values.TypeName(key))}");

    private static bool At(int count, long key, out int index)
    {
        long position = key < 0 ? key + count : key;
        index = (int)Math.Clamp(position, 0, int.MaxValue);
        return position >= 0 && position < count;
    }

    // Python: negative bounds count from the end, and those beyond an end are cut to it.
    private static int Bound(object? bound, int length, int fallback, int stride)
    {
        if (bound is null) return fallback;
        long position = Values.RequireInteger(bound, "a slice's bound");
        if (position < 0) position += length;
        return (int)Math.Clamp(position, stride > 0 ? 0 : -1, stride > 0 ? length : length - 1);
    }
}
