namespace Ernie.Tokenization.Jinja;

/// <summary>The filters that go through items.</summary>
internal static class SequenceFilters
{
    private static readonly Dictionary<string, Filter> s_filters = new(StringComparer.Ordinal)
    {
        ["first"] = (_, value, _) => Values.Items(value) is [var first, ..] ? first : new UndefinedValue("there is no first item"),
        ["last"] = (_, value, _) => Values.Items(value) is [.., var last] ? last : new UndefinedValue("there is no last item"),
        ["list"] = (state, value, _) => new ListValue(Take(state, value)),
        ["items"] = (state, value, _) => value switch
        {
            DictionaryValue dictionary => CollectionMethods.Entries(state, dictionary),
            UndefinedValue => new ListValue([]),
            _ => throw new TemplateError($"items needs a dictionary, not {Values.TypeName(value)}"),
        },
        ["dictsort"] = (state, value, _) => SortBy(Entries(state, value), entry => Attributes.GetItem(entry, 0L), ValueOrder.IgnoringCase, reverses: false),
        ["join"] = (state, value, arguments) =>
        {
            TextValue separator = arguments.OptionalText(0, "d") ?? TextValue.Empty;
            object? attribute = arguments.Optional(1, "attribute");
            return TextMethods.Join(state, separator, Take(state, value).Select(item => attribute is null ? item : ItemPath.Get(item, attribute)));
        },
        ["reverse"] = (state, value, _) =>
        {
            if (value is TextValue text) return text.Range(text.Count - 1, text.Count, -1);
            List<object?> items = Take(state, value);
            items.Reverse();
            return new ListValue(items);
        },
        ["sort"] = Sort,
        ["unique"] = Unique,
        ["sum"] = (state, value, arguments) =>
        {
            object? attribute = arguments.Optional(0, "attribute");
            return Take(state, value).Select(item => attribute is null ? item : ItemPath.Get(item, attribute)).Aggregate(arguments.Optional(1, "start", 0L), (sum, item) => Operators.Apply(state, "+", sum, item));
        },
        ["min"] = (state, value, _) => Take(state, value) is { Count: > 0 } items ? items.Aggregate((best, item) => Values.Compare(item, best) < 0 ? item : best) : new UndefinedValue("there is no smallest item"),
        ["max"] = (state, value, _) => Take(state, value) is { Count: > 0 } items ? items.Aggregate((best, item) => Values.Compare(item, best) > 0 ? item : best) : new UndefinedValue("there is no largest item"),
        ["map"] = Map,
        ["select"] = (state, value, arguments) => Select(state, value, arguments, byAttribute: false, keeps: true),
        ["reject"] = (state, value, arguments) => Select(state, value, arguments, byAttribute: false, keeps: false),
        ["selectattr"] = (state, value, arguments) => Select(state, value, arguments, byAttribute: true, keeps: true),
        ["rejectattr"] = (state, value, arguments) => Select(state, value, arguments, byAttribute: true, keeps: false),
    };

    /// <summary>Finds a filter, or null.</summary>
    public static Filter? Find(string name) => s_filters.GetValueOrDefault(name);

    private static List<object?> Take(RenderState state, object? value)
    {
        List<object?> items = [.. Values.Items(value)];
        state.Spend(items.Count);
        return items;
    }

    private static List<object?> Entries(RenderState state, object? value) =>
        value is DictionaryValue dictionary ? CollectionMethods.Entries(state, dictionary).Items : throw new TemplateError($"dictsort needs a dictionary, not {Values.TypeName(value)}");

    private static ListValue Sort(RenderState state, object? value, CallArguments arguments)
    {
        bool reverses = Values.IsTrue(arguments.Optional(0, "reverse"));
        ValueOrder order = Values.IsTrue(arguments.Optional(1, "case_sensitive")) ? ValueOrder.Exact : ValueOrder.IgnoringCase;
        object? attribute = arguments.Optional(2, "attribute");
        List<object?> items = Take(state, value);
        object? Key(object? item) => attribute is null ? item : ItemPath.Get(item, attribute);
        return SortBy(items, Key, order, reverses);
    }

    private static ListValue SortBy(List<object?> items, Func<object?, object?> key, ValueOrder order, bool reverses)
    {
        try
        {
            return new ListValue([.. reverses ? items.OrderByDescending(key, order) : items.OrderBy(key, order)]);
        }
        catch (InvalidOperationException error) when (error.InnerException is TemplateError inner)
        {
            // What a comparison throws, sorting wraps.
            throw new TemplateError(inner.Message);
        }
    }

    private static ListValue Unique(RenderState state, object? value, CallArguments arguments)
    {
        ValueOrder order = Values.IsTrue(arguments.Optional(0, "case_sensitive")) ? ValueOrder.Exact : ValueOrder.IgnoringCase;
        object? attribute = arguments.Optional(1, "attribute");
        List<object?> kept = [], keys = [];
        foreach (object? item in Take(state, value))
        {
            object? key = attribute is null ? item : ItemPath.Get(item, attribute);
            state.Spend(keys.Count);
            if (keys.Exists(other => Values.AreEqual(other, key) || (other is TextValue && key is TextValue && order.Compare(other, key) == 0))) continue;
            keys.Add(key);
            kept.Add(item);
        }

        return new ListValue(kept);
    }

    private static ListValue Map(RenderState state, object? value, CallArguments arguments)
    {
        List<object?> items = Take(state, value);
        if (arguments.TryRead(-1, "attribute", out object? attribute))
        {
            object? fallback = arguments.Optional(-1, "default");
            return new ListValue([.. items.Select(item => ItemPath.Get(item, attribute) is var found and not UndefinedValue ? found : fallback ?? ItemPath.Get(item, attribute))]);
        }

        string name = arguments.RequiredText(0, "filter").Text;
        Filter filter = FilterLibrary.Find(name) ?? throw new TemplateError($"there is no filter '{name}'");
        List<object?> rest = arguments.Rest(1);
        Dictionary<string, object?> named = new(arguments.RestNamed(), StringComparer.Ordinal);
        return new ListValue([.. items.Select(item => filter(state, item, new CallArguments($"the filter '{name}'", rest, named)))]);
    }

    private static ListValue Select(RenderState state, object? value, CallArguments arguments, bool byAttribute, bool keeps)
    {
        object? attribute = byAttribute ? arguments.Required(0, "attribute") : null;
        int testIndex = byAttribute ? 1 : 0;
        Test? test = null;
        string name = "";
        if (arguments.TryRead(testIndex, "test", out object? testName))
        {
            name = Values.RequireText(testName, arguments.Callee).Text;
            test = TestLibrary.Find(name) ?? throw new TemplateError($"there is no test '{name}'");
        }

        List<object?> rest = arguments.Rest(testIndex + 1);
        bool Holds(object? item)
        {
            object? tested = byAttribute ? ItemPath.Get(item, attribute) : item;
            return test is null ? Values.IsTrue(tested) : test(state, tested, new CallArguments($"the test '{name}'", rest));
        }

        return new ListValue([.. Take(state, value).Where(item => Holds(item) == keeps)]);
    }
}
