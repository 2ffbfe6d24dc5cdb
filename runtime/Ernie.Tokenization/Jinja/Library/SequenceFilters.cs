using System.Runtime.ExceptionServices;
using Ernie.Text;

namespace Ernie.Tokenization.Jinja;

/// <summary>The filters that go through items.</summary>
internal static class SequenceFilters
{
    private static readonly Dictionary<string, Filter> s_filters = new(StringComparer.Ordinal)
    {
        ["first"] = (state, value, _) => Values.Items(state, value) is [var first, ..] ? first : new UndefinedValue("there is no first item"),
        ["last"] = (state, value, _) => Values.Items(state, value) is [.., var last] ? last : new UndefinedValue("there is no last item"),
        ["list"] = (state, value, _) => new ListValue(Take(state, value)),
        ["items"] = (state, value, _) => value switch
        {
            DictionaryValue dictionary => CollectionMethods.Entries(state, dictionary),
            UndefinedValue => new ListValue([]),
            _ => throw new TemplateError($"items needs a dictionary, not {Values.TypeName(value)}"),
        },
        ["dictsort"] = (state, value, _) => SortBy(state, Entries(state, value), entry => ValueOrder.IgnoringCase(state, Attributes.GetItem(state, entry, 0L)), reverses: false),
        ["join"] = (state, value, arguments) =>
        {
            TextValue separator = arguments.OptionalText(0, "d") ?? TextValue.Empty;
            object? attribute = arguments.Optional(1, "attribute");
            return TextMethods.Join(state, separator, Take(state, value).Select(item => attribute is null ? item : ItemPath.Get(state, item, attribute)));
        },
        ["reverse"] = (state, value, _) =>
        {
            if (value is TextValue) return Attributes.Slice(state, value, null, null, -1L);
            List<object?> items = Take(state, value);
            items.Reverse();
            return new ListValue(items);
        },
        ["sort"] = Sort,
        ["unique"] = Unique,
        ["sum"] = (state, value, arguments) =>
        {
            object? attribute = arguments.Optional(0, "attribute");
            return Take(state, value).Select(item => attribute is null ? item : ItemPath.Get(state, item, attribute)).Aggregate(arguments.Optional(1, "start", 0L), (sum, item) => Operators.Apply(state, "+", sum, item));
        },
        ["min"] = (state, value, _) => Take(state, value) is { Count: > 0 } items ? items.Aggregate((best, item) => Values.Compare(state, item, best) < 0 ? item : best) : new UndefinedValue("there is no smallest item"),
        ["max"] = (state, value, _) => Take(state, value) is { Count: > 0 } items ? items.Aggregate((best, item) => Values.Compare(state, item, best) > 0 ? item : best) : new UndefinedValue("there is no largest item"),
        ["map"] = Map,
        ["select"] = (state, value, arguments) => Select(state, value, arguments, byAttribute: false, keeps: true),
        ["reject"] = (state, value, arguments) => Select(state, value, arguments, byAttribute: false, keeps: false),
        ["selectattr"] = (state, value, arguments) => Select(state, value, arguments, byAttribute: true, keeps: true),
        ["rejectattr"] = (state, value, arguments) => Select(state, value, arguments, byAttribute: true, keeps: false),
    };

    /// <summary>The names of these filters.</summary>
    public static IEnumerable<string> Names => s_filters.Keys;

    /// <summary>Finds a filter, or null.</summary>
    public static Filter? Find(string name) => s_filters.GetValueOrDefault(name);

    private static List<object?> Take(RenderState state, object? value)
    {
        List<object?> items = [.. Values.Items(state, value)];
        state.Spend(items.Count);
        return items;
    }

    // Jinja's map and select do not look at what they are given when it is none, 0 or empty.
    private static List<object?> TakeUnlessFalse(RenderState state, object? value) => Values.IsTrue(value) ? Take(state, value) : [];

    private static List<object?> Entries(RenderState state, object? value) =>
        value is DictionaryValue dictionary ? CollectionMethods.Entries(state, dictionary).Items : throw new TemplateError($"dictsort needs a dictionary, not {Values.TypeName(value)}");

    private static ListValue Sort(RenderState state, object? value, CallArguments arguments)
    {
        bool reverses = Values.IsTrue(arguments.Optional(0, "reverse")), isExact = Values.IsTrue(arguments.Optional(1, "case_sensitive"));
        object? attribute = arguments.Optional(2, "attribute");
        return SortBy(state, Take(state, value), item => Key(state, item, attribute, isExact), reverses);
    }

    private static object? Key(RenderState state, object? item, object? attribute, bool isExact)
    {
        object? key = attribute is null ? item : ItemPath.Get(state, item, attribute);
        return isExact ? key : ValueOrder.IgnoringCase(state, key);
    }

    private static ListValue SortBy(RenderState state, List<object?> items, Func<object?, object?> key, bool reverses)
    {
        var order = new ValueOrder(state);
        try
        {
            return new ListValue([.. reverses ? items.OrderByDescending(key, order) : items.OrderBy(key, order)]);
        }
        catch (InvalidOperationException error) when (error.InnerException is TemplateError or OperationCanceledException)
        {
            // What a comparison throws, sorting wraps.
            ExceptionDispatchInfo.Throw(error.InnerException);
            throw;
        }
    }

    private static ListValue Unique(RenderState state, object? value, CallArguments arguments)
    {
        bool isExact = Values.IsTrue(arguments.Optional(0, "case_sensitive"));
        object? attribute = arguments.Optional(1, "attribute");
        List<object?> kept = [], keys = [];
        foreach (object? item in Take(state, value))
        {
            object? key = Key(state, item, attribute, isExact);
            if (keys.Exists(other => Values.AreEqual(state, other, key))) continue;
            keys.Add(key);
            kept.Add(item);
        }

        return new ListValue(kept);
    }

    private static ListValue Map(RenderState state, object? value, CallArguments arguments)
    {
        List<object?> items = TakeUnlessFalse(state, value);
        if (arguments.TryRead(-1, "attribute", out object? attribute))
        {
            object? fallback = arguments.Optional(-1, "default");
            return new ListValue([.. items.Select(item => ItemPath.Get(state, item, attribute) is var found and not UndefinedValue ? found : fallback ?? ItemPath.Get(state, item, attribute))]);
        }

        string name = arguments.RequiredText(0, "filter").Text;
        // As in Jinja, a filter that does not exist is none of the matter where there is nothing to filter.
        Filter filter = items.Count == 0 ? (_, _, _) => null : FilterLibrary.Find(name) ?? throw new TemplateError($"there is no filter '{Excerpt.Of(name)}'");
        List<object?> rest = arguments.Rest(1);
        Dictionary<string, object?> named = new(arguments.RestNamed(), StringComparer.Ordinal);
        return new ListValue([.. items.Select(item => filter(state, item, new CallArguments($"the filter '{name}'", rest, named)))]);
    }

    private static ListValue Select(RenderState state, object? value, CallArguments arguments, bool byAttribute, bool keeps)
    {
        object? attribute = byAttribute ? arguments.Required(0, "attribute") : null;
        int testIndex = byAttribute ? 1 : 0;
        List<object?> items = TakeUnlessFalse(state, value);
        Test? test = null;
        string name = "";
        if (arguments.TryRead(testIndex, "test", out object? testName))
        {
            name = Values.RequireText(testName, arguments.Callee).Text;
            test = items.Count == 0 ? null : TestLibrary.Find(name) ?? throw new TemplateError($"there is no test '{Excerpt.Of(name)}'");
        }

        List<object?> rest = arguments.Rest(testIndex + 1);
        bool Holds(object? item)
        {
            object? tested = byAttribute ? ItemPath.Get(state, item, attribute) : item;
            return test is null ? Values.IsTrue(tested) : test(state, tested, new CallArguments($"the test '{name}'", rest));
        }

        return new ListValue([.. items.Where(item => Holds(item) == keeps)]);
    }
}
