namespace Ernie.Tokenization.Jinja;

/// <summary>The methods of lists and dictionaries.</summary>
internal static class CollectionMethods
{
    private static readonly Dictionary<string, Method<ListValue>> s_tupleMethods = new(StringComparer.Ordinal)
    {
        ["index"] = (state, list, arguments) => IndexOf(state, list, arguments.Required(0, "value")),
        ["count"] = (state, list, arguments) => arguments.Required(0, "value") is var value ? (long)list.Items.Count(item => Values.AreEqual(state, item, value)) : 0,
    };

    private static readonly Dictionary<string, Method<ListValue>> s_listMethods = new(s_tupleMethods, StringComparer.Ordinal)
    {
        ["append"] = (_, list, arguments) =>
        {
            list.Items.Add(arguments.Required(0, "object"));
            return null;
        },
        ["extend"] = (state, list, arguments) =>
        {
            object?[] items = [.. Values.Items(state, arguments.Required(0, "iterable"))];
            state.Spend(items.Length);
            list.Items.AddRange(items);
            return null;
        },
        ["insert"] = (state, list, arguments) =>
        {
            int index = Values.RequireInteger(arguments.Required(0, "index"), "insert");
            state.Spend(list.Items.Count);
            list.Items.Insert(Math.Clamp(index < 0 ? index + list.Items.Count : index, 0, list.Items.Count), arguments.Required(1, "object"));
            return null;
        },
        ["pop"] = (state, list, arguments) => Pop(state, list, arguments.OptionalInteger(0, "index", -1)),
        ["copy"] = (state, list, _) =>
        {
            state.Spend(list.Items.Count);
            return new ListValue([.. list.Items]);
        },
    };

    private static readonly Dictionary<string, Method<DictionaryValue>> s_dictionaryMethods = new(StringComparer.Ordinal)
    {
        ["items"] = (state, dictionary, _) => Entries(state, dictionary),
        ["keys"] = (state, dictionary, _) => Select(state, dictionary, entry => entry.Key),
        ["values"] = (state, dictionary, _) => Select(state, dictionary, entry => entry.Value),
        ["get"] = (state, dictionary, arguments) =>
        {
            object? key = arguments.Required(0, "key"), fallback = arguments.Optional(1, "default");
            state.SpendText(key);
            return dictionary.TryGet(key, out object? found) ? found : fallback;
        },
        ["copy"] = (state, dictionary, _) => Copy(state, dictionary),
        ["update"] = Update,
    };

    /// <summary>The names of all methods of lists.</summary>
    public static IEnumerable<string> ListNames => s_listMethods.Keys;

    /// <summary>The names of all methods of dictionaries.</summary>
    public static IEnumerable<string> DictionaryNames => s_dictionaryMethods.Keys;

    /// <summary>Finds a method of a list; a tuple has only those that change nothing.</summary>
    /// <returns>The method bound to the list, or null.</returns>
    public static Callable? Find(ListValue list, string name) =>
        (list.IsTuple ? s_tupleMethods : s_listMethods).TryGetValue(name, out Method<ListValue>? method) ? new Callable(name, (state, arguments) => method(state, list, arguments)) : null;

    /// <summary>Finds a method of a dictionary.</summary>
    /// <returns>The method bound to the dictionary, or null.</returns>
    public static Callable? Find(DictionaryValue dictionary, string name) =>
        s_dictionaryMethods.TryGetValue(name, out Method<DictionaryValue>? method) ? new Callable(name, (state, arguments) => method(state, dictionary, arguments)) : null;

    /// <summary>Keys and values as tuples.</summary>
    public static ListValue Entries(RenderState state, DictionaryValue dictionary) => Select(state, dictionary, entry => new ListValue([entry.Key, entry.Value], isTuple: true));

    private static ListValue Select(RenderState state, DictionaryValue dictionary, Func<KeyValuePair<object, object?>, object?> select)
    {
        state.Spend(dictionary.Count * Values.StepsPerNewItem);
        return new ListValue([.. dictionary.Entries.Select(select)]);
    }

    /// <summary>A dictionary with the same entries.</summary>
    public static DictionaryValue Copy(RenderState state, DictionaryValue dictionary)
    {
        state.Spend(dictionary.Count * Values.StepsPerNewItem);
        var copy = new DictionaryValue();
        foreach ((object key, object? value) in dictionary.Entries) Set(state, copy, key, value);
        return copy;
    }

    /// <summary>Sets a key; counts it, for a dictionary reads the whole of it.</summary>
    public static void Set(RenderState state, DictionaryValue dictionary, object? key, object? value)
    {
        state.SpendText(key);
        dictionary.Set(key, value);
    }

    private static object? Update(RenderState state, DictionaryValue dictionary, CallArguments arguments)
    {
        if (arguments.TryRead(0, "other", out object? other))
        {
            if (other is not DictionaryValue source) throw new TemplateError($"update needs a dictionary, not {Values.TypeName(other)}");
            foreach ((object key, object? value) in Copy(state, source).Entries) Set(state, dictionary, key, value);
        }

        foreach ((string name, object? value) in arguments.RestNamed()) dictionary.Set(TextValue.OfTemplate(name), value);
        return null;
    }

    private static object? Pop(RenderState state, ListValue list, int index)
    {
        int position = index < 0 ? index + list.Items.Count : index;
        if (position < 0 || position >= list.Items.Count) throw new TemplateError($"pop: there is no item {index} in a list of {list.Items.Count}");
        state.Spend(list.Items.Count - position);
        object? item = list.Items[position];
        list.Items.RemoveAt(position);
        return item;
    }

    private static long IndexOf(RenderState state, ListValue list, object? value)
    {
        int index = list.Items.FindIndex(item => Values.AreEqual(state, item, value));
        return index >= 0 ? index : throw new TemplateError("the value is not in the list");
    }
}
