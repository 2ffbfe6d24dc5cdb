using Ernie.Text;
using Ernie.Tokenization.Jinja;

namespace Ernie.Tokenization.Tests.Jinja;

/// <summary>What a template that is not well formed says.</summary>
public sealed class TemplateSyntaxTests
{
    [Theory]
    [InlineData("{{ 1 +\n  }}", "line 2, column 3", "a value is needed, not '}}'")]
    [InlineData("a\n {% if x %}", "line 2, column 12", "'endif' is needed, not the end of the template")]
    [InlineData("{% endif %}", "line 1, column 4", "'endif' ends nothing")]
    [InlineData("{% for x in y %}{% endif %}", "line 1, column 17", "'endfor' is needed, not 'endif'")]
    [InlineData("{{ 'abc }}", "line 1, column 4", "the string does not end")]
    [InlineData("x {# y", "line 1, column 3", "the comment does not end")]
    [InlineData("x {{ y", "line 1, column 3", "the tag is not closed by '}}'")]
    [InlineData("{% raw %}", "line 1, column 1", "'raw' does not end")]
    [InlineData("{{ a ? b }}", "line 1, column 6", "'?' means nothing here")]
    [InlineData("{{ '\\u12' }}", "line 1, column 5", "'\\u' needs 4 hexadecimal digits")]
    [InlineData("{% include 'x' %}", "line 1, column 4", "the statement 'include' is not supported")]
    [InlineData("{{ x | nope }}", "line 1, column 8", "there is no filter 'nope'")]
    [InlineData("{{ x is nope }}", "line 1, column 9", "there is no test 'nope'")]
    [InlineData("{% for x in y recursive %}{% endfor %}", "line 1, column 15", "recursive loops are not supported")]
    [InlineData("{{ f(a=1, 2) }}", "line 1, column 11", "an argument by position stands behind one by name")]
    [InlineData("{{ 99999999999999999999 }}", "line 1, column 4", "the number is too large")]
    public void Parse_BadTemplate_SaysWhereAndWhat(string template, string place, string problem)
    {
        var error = Assert.Throws<ChatTemplateException>(() => new CompiledTemplate(template));

        Assert.Contains(place, error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{% if false %}{{ x | nope }}{{ x is nope }}{% endif %}ok")]
    [InlineData("{% if true %}ok{% elif x is nope %}{{ x | nope }}{% else %}{{ x is nope }}{% endif %}")]
    [InlineData("{{ 'ok' if true else x | nope }}")]
    [InlineData("{{ x | nope if false else 'ok' }}")]
    [InlineData("{{ (x is nope if false) }}ok")]
    [InlineData("{% if false %}{% for y in x | nope %}{% endfor %}{% endif %}ok")]
    public void Parse_UnknownFilterInABranch_IsLeftUntilItIsReached(string template) =>
        Assert.Equal("ok", new CompiledTemplate(template).Render([], DateTimeOffset.UnixEpoch).Text);

    [Theory]
    [InlineData("{% if true %}\n{{ x | nope }}{% endif %}", "line 2, column 8", "there is no filter 'nope'")]
    [InlineData("{{ 'a' if x is nope else 'b' }}", "line 1, column 16", "there is no test 'nope'")]
    [InlineData("{{ 'a' if false else 'b' | nope }}", "line 1, column 28", "there is no filter 'nope'")]
    public void Render_UnknownFilterInABranchThatIsTaken_SaysWhereAndWhat(string template, string place, string problem)
    {
        var compiled = new CompiledTemplate(template);

        var error = Assert.Throws<ChatTemplateException>(() => compiled.Render([], DateTimeOffset.UnixEpoch));

        Assert.Contains(place, error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ x | {0} }}")]
    [InlineData("{{ x is {0} }}")]
    [InlineData("{% {0} %}")]
    [InlineData("{% end{0} %}")]
    [InlineData("{{ 1 '{0}' }}")]
    public void Parse_LongNames_AreNotRepeatedInFull(string template)
    {
        string longName = template.Contains('\'') ? new string('a', 100_000) : new string('a', TemplateScanner.MaximumNameCharacters - 3);

        var error = Assert.Throws<ChatTemplateException>(() => new CompiledTemplate(template.Replace("{0}", longName, StringComparison.Ordinal)));

        Assert.InRange(error.Message.Length, 1, 300);
    }

    [Fact]
    public void Parse_NamesAndSources_AreLimited()
    {
        string longest = new('a', TemplateScanner.MaximumNameCharacters);
        Assert.Equal("", new CompiledTemplate($"{{{{ {longest} }}}}").Render([], DateTimeOffset.UnixEpoch).Text);
        Assert.Contains("at most 200 are allowed", Assert.Throws<ChatTemplateException>(() => new CompiledTemplate($"{{{{ {longest}b }}}}")).Message, StringComparison.Ordinal);

        var limits = new TemplateLimits { MaximumSourceCharacters = 10 };
        Assert.Equal("0123456789", new CompiledTemplate("0123456789", limits).Render([], DateTimeOffset.UnixEpoch).Text);
        Assert.Contains("it has 11 characters; at most 10", Assert.Throws<ChatTemplateException>(() => new CompiledTemplate("01234567890", limits)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("(", "1", ")")]
    [InlineData("-", "1", "")]
    [InlineData("not ", "1", "")]
    [InlineData("[", "", "]")]
    public void Parse_Nesting_IsLimited(string open, string inner, string close)
    {
        string Nested(int depth) => "{{ " + string.Concat(Enumerable.Repeat(open, depth)) + inner + string.Concat(Enumerable.Repeat(close, depth)) + " }}";

        Assert.Null(Record.Exception(() => new CompiledTemplate(Nested(150))));

        Assert.Contains("nests deeper than 200", Assert.Throws<ChatTemplateException>(() => new CompiledTemplate(Nested(100_000))).Message, StringComparison.Ordinal);
    }
}
