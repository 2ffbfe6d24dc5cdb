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
