namespace Ernie.Tokenization.Jinja;

/// <summary>The methods of lists and dictionaries.</summary>
internal static class CollectionMethods
{
    /// <summary>Finds a method of a list.</summary>
    /// <returns>The method bound to the list, or null.</returns>
    public static Callable? Find(ListValue list, string name)
    {
        Func<RenderState, CallArguments, object?>? body = name switch
        {
            "append" when !list.IsTuple => (_, arguments) =>
            {
                list.Items.Add(arguments.Required(0, "object"));
                return null;
            },
            "extend" when !list.IsTuple => (state, arguments) =>
            {
                object?[] items = [.. Values.Items(arguments.Required(0, "iterable"))];
                state.Spend(items.Length);
                list.Items.AddRange(items);
                return null;
            },
            "insert" when !list.IsTuple => (state, arguments) =>
            {
                int index = Values.RequireInteger(arguments.Required(0, "index"), "insert");
                state.Spend(list.Items.Count);
                list.Items.Insert(Math.Clamp(index < 0 ? index + list.Items.Count : index, 0, list.Items.Count), arguments.Required(1, "object"));
                return null;
            },
            "pop" when !list.IsTuple => (state, arguments) => Pop(state, list, arguments.OptionalInteger(0, "index", -1)),
            "index" => (state, arguments) => IndexOf(state, list, arguments.Required(0, "value")),
            "count" => (state, arguments) => Count(state, list, arguments.Required(0, "value")),
            "copy" when !list.IsTuple => (state, _) =>
            {
                state.Spend(list.Items.Count);
                return new ListValue([.. list.Items]);
            },
            _ => null,
        };
        return body is null ? null : new Callable(name, body);
    }

    /// <summary>Finds a method of a dictionary.</summary>
    /// <returns>The method bound to the dictionary, or null.</returns>
    public static Callable? Find(DictionaryValue dictionary, string name)
    {
        Func<RenderState, CallArguments, object?>? body = name switch
        {
            "items" => (state, _) => Entries(state, dictionary),
            "keys" => (state, _) => Select(state, dictionary, entry => entry.Key),
            "values" => (state, _) => Select(state, dictionary, entry => entry.Value),
            "get" => (_, arguments) =>
            {
                object? fallback = arguments.Optional(1, "default");
                return dictionary.TryGet(arguments.Required(0, "key"), out object? found) ? found : fallback;
            },
            "copy" => (state, _) => Copy(state, dictionary),
            "update" => (state, arguments) => Update(state, dictionary, arguments),
            _ => null,
        };
        return body is null ? null : new Callable(name, body);
    }

    /// <summary>Keys and values as tuples.</summary>
    public static ListValue Entries(RenderState state, DictionaryValue dictionary) => Select(state, dictionary, entry => new ListValue([entry.Key, entry.Value], isTuple: true));

    private static ListValue Select(RenderState state, DictionaryValue dictionary, Func<KeyValuePair<object, object?>, object?> select)
    {
        state.Spend(dictionary.Count);
        return new ListValue([.. dictionary.Entries.Select(select)]);
    }

    private static DictionaryValue Copy(RenderState state, DictionaryValue dictionary)
    {
        state.Spend(dictionary.Count);
        var copy = new DictionaryValue();
        foreach ((object key, object? value) in dictionary.Entries) copy.Set(key, value);
        return copy;
    }

    private static object? Update(RenderState state, DictionaryValue dictionary, CallArguments arguments)
    {
        if (arguments.TryRead(0, "other", out object? other))
        {
            if (other is not DictionaryValue source) throw new TemplateError($"update needs a dictionary, not {Values.TypeName(other)}");
            foreach ((object key, object? value) in Copy(state, source).Entries) dictionary.Set(key, value);
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
        state.Spend(list.Items.Count);
        int index = list.Items.FindIndex(item => Values.AreEqual(item, value));
        return index >= 0 ? index : throw new TemplateError("the value is not in the list");
    }

    private static long Count(RenderState state, ListValue list, object? value)
    {
        state.Spend(list.Items.Count);
        return list.Items.Count(item => Values.AreEqual(item, value));
    }
}
