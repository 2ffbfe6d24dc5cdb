using Ernie.Text;
using Ernie.Tokenization.Jinja;

namespace Ernie.Tokenization.Tests.Jinja;

/// <summary>Every operation of the language counts what it touches: a table holds one expression or more for each, and a new one without a line there fails.</summary>
public sealed class WorkCountTests
{
    private const int Small = 320;
    private const int Large = 32_000;

    // text, same: equal strings of that length; items, alike: lists of that many strings, all equal; numbers; dictionary, twin: with that many keys.
    private static readonly (string Kind, string Name, string[] Expressions)[] s_table =
    [
        .. Entries("filter", "{{ text | NAME }}", "trim", "upper", "lower", "title", "capitalize", "string", "safe", "format", "indent", "wordcount", "tojson", "length", "count", "default", "d", "int", "float", "reverse"),
        .. Entries("filter", "{{ items | NAME }}", "list", "join", "sort", "unique", "map('upper')", "select", "reject", "selectattr(0)", "rejectattr(0)"),
        .. Entries("filter", "{{ numbers | NAME }}", "sum", "min", "max"),
        .. Entries("filter", "{{ dictionary | NAME }}", "items", "dictsort", "first", "last"),
        ("filter", "replace", ["{{ text | replace('b', 'c') }}", "{{ text | replace('a', 'bc') }}", "{{ 'a' | replace(text, '') }}", "{{ ['b'] | map('replace', text, '') | list }}"]),
        ("filter", "attr", ["{{ dictionary | attr(text) }}"]),
        ("filter", "trim", ["{{ 'b' | trim(text) }}", "{{ ['b'] | map('trim', text) | list }}"]),
        ("filter", "join", ["{{ ['', ''] | join(text) }}", "{{ dictionary | join }}", "{{ items | join(attribute=0) }}"]),
        ("filter", "tojson", ["{{ items | tojson }}", "{{ dictionary | tojson(sort_keys=true) }}", "{{ [[1]] | tojson(indent=text) }}"]),
        ("filter", "string", ["{{ items | string }}", "{{ dictionary | string }}"]),
        ("filter", "map", ["{{ items | map(attribute=0) | list }}"]),
        ("filter", "reverse", ["{{ items | reverse }}"]),
        ("filter", "abs", []), ("filter", "round", []),   // of numbers alone

        .. Entries("test", "{{ text is NAME }}", "defined", "undefined", "none", "boolean", "true", "false", "string", "number", "integer", "float", "mapping", "sequence", "iterable", "callable", "lower", "upper", "filter", "test", "sameas(text)"),
        .. Entries("test", "{{ [text] | select('NAME', same) | list }}", "eq", "equalto", "==", "ne", "!=", "lt", "lessthan", "<", "le", "<=", "gt", "greaterthan", ">", "ge", ">="),
        ("test", "in", ["{{ 'b' is in text }}", "{{ text is in 'b' }}", "{{ 'b' is in items }}", "{{ text is in dictionary }}"]),
        ("test", "odd", []), ("test", "even", []), ("test", "divisibleby", []),   // of numbers alone

        .. Entries("text", "{{ text.NAME() }}", "strip", "lstrip", "rstrip", "split", "splitlines", "upper", "lower", "title", "capitalize", "format", "isdigit", "isnumeric", "isalpha", "isalnum", "isspace", "isupper", "islower"),
        .. Entries("text", "{{ 'b'.NAME(text) }}", "strip", "lstrip", "rstrip", "startswith", "endswith", "find", "rfind", "count", "removeprefix", "removesuffix"),
        .. Entries("text", "{{ text.NAME('a') }}", "split", "rsplit", "startswith", "endswith", "removeprefix", "removesuffix", "find", "rfind", "index", "count"),
        ("text", "startswith", ["{{ 'b'.startswith((text, text)) }}"]),
        ("text", "replace", ["{{ text.replace('a', 'b') }}", "{{ 'b'.replace(text, '') }}"]),
        ("text", "join", ["{{ text.join('ab') }}", "{{ ''.join(items) }}", "{{ ''.join(text) }}"]),
        ("text", "format", ["{{ '{}'.format(text) }}", "{{ '{x}'.format(x=text) }}"]),

        ("list", "append", []),   // touches its end alone
        ("list", "extend", ["{{ [].extend(items) }}", "{{ [].extend(text) }}"]),
        ("list", "insert", ["{{ items.insert(0, 1) }}"]),
        ("list", "pop", ["{{ items.pop(0) }}"]),
        ("list", "index", ["{{ (items + ['b']).index('b') }}", "{{ [text].index(same) }}"]),
        ("list", "count", ["{{ items.count('b') }}", "{{ [text].count(same) }}"]),
        ("list", "copy", ["{{ items.copy() | length }}"]),

        .. Entries("dictionary", "{{ dictionary.NAME() }}", "items", "keys", "values", "copy"),
        ("dictionary", "get", ["{{ dictionary.get(text) }}"]),
        ("dictionary", "update", ["{{ {}.update(dictionary) }}"]),

        ("function", "range", ["{{ range(text | length) | length }}"]),
        ("function", "namespace", ["{{ namespace(dictionary) is defined }}"]),
        ("function", "dict", ["{{ dict(dictionary) | length }}"]),
        ("function", "strftime_now", ["{{ strftime_now(text) }}"]),
        ("function", "raise_exception", []),   // the rendering ends

        .. Entries("operator", "{{ text NAME same }}", "==", "!=", "<", "<=", ">", ">=", "~", "+"),
        .. Entries("operator", "{{ items NAME alike }}", "==", "!=", "<", "<=", ">", ">=", "~", "+"),
        ("operator", "==", ["{{ dictionary == twin }}", "{{ [items] == [alike] }}"]),
        ("operator", "*", ["{{ text * 2 }}", "{{ 2 * items }}"]),
        ("operator", "%", ["{{ text % () }}", "{{ '%s' % text }}"]),
        ("operator", "[", ["{{ text[1:] }}", "{{ text[::2] }}", "{{ items[1:] }}", "{{ items[::-1] }}", "{{ dictionary[text] }}"]),
        ("operator", "{", ["{{ {text: 1} | length }}"]),
        .. Entries("operator", "", "-", "/", "//", "**"),   // of numbers alone
        .. Entries("operator", "", "(", ")", "]", "}", ".", ",", ":", "|", "="),   // brackets and marks; what stands between them counts itself

        ("statement", "in", ["{{ 'b' in text }}", "{{ text in 'b' }}", "{{ 'b' in items }}", "{{ text in dictionary }}", "{{ text not in items }}"]),
        ("statement", "print", ["{{ text }}", "{{ items }}", "{{ dictionary }}", "{{ [[[items]]] }}"]),
        ("statement", "for", ["{% for x in items %}{% endfor %}", "{% for x in text %}{% endfor %}", "{% for x in dictionary %}{% endfor %}", "{% for x in items if false %}{% endfor %}"]),
        ("statement", "set", ["{% set x %}{{ text }}{% endset %}", "{% set x = text ~ '' %}"]),
        ("statement", "filter", ["{% filter trim %}{{ text }}{% endfilter %}"]),
        ("statement", "macro", ["{% macro f(x) %}{{ x }}{% endmacro %}{{ f(text) }}"]),
        ("statement", "loop", ["{% for x in [1, 2] %}{{ loop.changed(text) }}{{ loop.cycle(text) }}{% endfor %}"]),
    ];

    public static TheoryData<string, string> Expressions()
    {
        var expressions = new TheoryData<string, string>();
        foreach ((string kind, string name, string[] samples) in s_table)
            foreach (string sample in samples) expressions.Add($"{kind} {name}", sample);
        return expressions;
    }

    [Theory]
    [InlineData("filter")]
    [InlineData("test")]
    [InlineData("text")]
    [InlineData("list")]
    [InlineData("dictionary")]
    [InlineData("function")]
    [InlineData("operator")]
    public void Table_EveryOperationOfTheLanguage_IsThere(string kind)
    {
        IEnumerable<string> names = kind switch
        {
            "filter" => FilterLibrary.Names,
            "test" => TestLibrary.Names,
            "text" => TextMethods.Names,
            "list" => CollectionMethods.ListNames,
            "dictionary" => CollectionMethods.DictionaryNames,
            "function" => GlobalFunctions.Names,
            _ => TemplateScanner.Operators,
        };

        Assert.Equal(names.Order(StringComparer.Ordinal), s_table.Where(entry => entry.Kind == kind).Select(entry => entry.Name).Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Expressions))]
    public void Render_AHundredTimesTheData_CountsIt(string operation, string template)
    {
        long more = Steps(template, Large) - Steps(template, Small);

        // As many characters as make a step, less the rounding of both.
        Assert.True(more >= (Large - Small) / RenderState.CharactersPerStep - 2, $"{operation}: {more} steps for {Large - Small} characters or items more");
    }

    [Theory]
    [InlineData("{% set x = 'a' * 80000 %}{% for i in range(10000) %}{% if x.count('a') %}{% endif %}{% endfor %}")]
    [InlineData("{% set x = 'a' * 80000 %}{% for i in range(10000) %}{% if x is lower %}{% endif %}{% endfor %}")]
    [InlineData("{% set x = 'a' * 80000 %}{% set y = 'a' * 40000 ~ 'b' ~ 'a' * 9999 %}{% for i in range(10000) %}{% if y in x %}{% endif %}{% endfor %}")]
    [InlineData("{% set l = [1] * 10000 %}{% set m = [1] * 10000 %}{% for i in range(10000) %}{% if l == m %}{% endif %}{% endfor %}")]
    [InlineData("{% set x = '1' * 80000 %}{% for i in range(10000) %}{% set y = x | int(0) %}{% endfor %}")]
    [InlineData("{% set ns = namespace(l=[1]) %}{% set ns2 = namespace(l=[1]) %}{% for i in range(40) %}{% set ns.l = [ns.l, ns.l] %}{% set ns2.l = [ns2.l, ns2.l] %}{% endfor %}{{ ns.l == ns2.l }}")]
    [InlineData("{% set ns = namespace(l=[]) %}{% for i in range(40) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l | string | length }}")]
    [InlineData("{% set ns = namespace(l=[1]) %}{% for i in range(40) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ [ns.l, ns.l] | sort | length }}")]
    [InlineData("{% set l = range(10000) | list %}{{ l | unique | length }}")]
    [InlineData("{% set k = 'a' * 80000 %}{% set d = {} %}{% for i in range(10000) %}{% if d.get(k) %}{% endif %}{% endfor %}")]
    public void Render_HostileWork_IsStopped(string template)
    {
        var limits = new TemplateLimits { MaximumSteps = 500_000 };

        var error = Assert.Throws<ChatTemplateException>(() => new CompiledTemplate(template, limits).Render([], DateTimeOffset.UnixEpoch));

        Assert.Contains("more than 500000 steps", error.Message, StringComparison.Ordinal);
        Assert.Contains("line 1, column", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_JsonWithALongIndent_IsStoppedBeforeItIsBuilt()
    {
        const string Template = "{% set ns = namespace(l=[1]) %}{% for i in range(150) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l | tojson(indent=' ' * 1000000) }}";
        long before = GC.GetAllocatedBytesForCurrentThread();

        var error = Assert.Throws<ChatTemplateException>(() => new CompiledTemplate(Template).Render([], DateTimeOffset.UnixEpoch));

        Assert.Contains("grows beyond 16777216 characters", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100 << 20);
    }

    [Fact]
    public void Render_Deadline_EndsItWithItsPlace()
    {
        const string Template = "a\n{{ 1 }}";

        Assert.Equal("a\n1", new CompiledTemplate(Template, new TemplateLimits { MaximumTime = TimeSpan.FromHours(1) }).Render([], DateTimeOffset.UnixEpoch).Text);

        var error = Assert.Throws<ChatTemplateException>(() => new CompiledTemplate(Template, new TemplateLimits { MaximumTime = TimeSpan.Zero }).Render([], DateTimeOffset.UnixEpoch));
        Assert.Contains("takes longer than 0 s", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{% for i in range(1000000) %}{% for j in range(1000000) %}{% endfor %}{% endfor %}")]
    [InlineData("{% set x = 'a' * 1000000 %}{% for i in range(1000000) %}{{ x.count('a') }}{% endfor %}")]
    [InlineData("{% macro f(n) %}{% for i in range(100000) %}{{ f(n - 1) if n else '' }}{% endfor %}{% endmacro %}{{ f(20) }}")]
    [InlineData("{% set l = ['a' * 1000000] * 1000 %}{% for i in range(1000000) %}{% set x = l | sort %}{% endfor %}")]
    public void Render_CancelledWhileItRuns_Ends(string template)
    {
        var compiled = new CompiledTemplate(template, new TemplateLimits { MaximumSteps = long.MaxValue >> 2, MaximumTotalCharacters = long.MaxValue >> 2, MaximumCharacters = int.MaxValue, MaximumTime = TimeSpan.FromHours(1) });
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));

        Assert.ThrowsAny<OperationCanceledException>(() => compiled.Render([], DateTimeOffset.UnixEpoch, source.Token));
    }

    private static IEnumerable<(string, string, string[])> Entries(string kind, string template, params string[] names) =>
        names.Select(name => (kind, name.Length > 1 ? name.Split('(')[0] : name, template.Length == 0 ? Array.Empty<string>() : [template.Replace("NAME", name, StringComparison.Ordinal)]));

    private static long Steps(string template, int size)
    {
        var dictionary = new DictionaryValue();
        var twin = new DictionaryValue();
        for (long key = 0; key < size; key++)
        {
            dictionary.Set(key, key);
            twin.Set(key, key);
        }

        Dictionary<string, object?> variables = new()
        {
            ["text"] = TextValue.OfRequest(new string('a', size)),
            ["same"] = TextValue.OfRequest(new string('a', size)),
            ["items"] = new ListValue([.. Enumerable.Repeat((object?)TextValue.OfRequest("a"), size)]),
            ["alike"] = new ListValue([.. Enumerable.Repeat((object?)TextValue.OfRequest("a"), size)]),
            ["numbers"] = new ListValue([.. Enumerable.Repeat((object?)1L, size)]),
            ["dictionary"] = dictionary,
            ["twin"] = twin,
        };
        new CompiledTemplate(template).Render(variables, DateTimeOffset.UnixEpoch, out long steps);
        return steps;
    }
}
