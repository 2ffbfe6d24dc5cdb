using Ernie.Text;
using Ernie.Tokenization.Jinja;

namespace Ernie.Tokenization.Tests.Jinja;

/// <summary>What a template that fails says, and what one may use up.</summary>
public sealed class TemplateErrorTests
{
    [Theory]
    [InlineData("ok\n{{ 1 + 'a' }}", "line 2, column 6", "'+' does not take an integer and a string")]
    [InlineData("{{ missing.name }}", "line 1, column 11", "'missing' is undefined")]
    [InlineData("{{ missing() }}", "line 1, column 11", "'missing' is undefined")]
    [InlineData("{{ 1 / 0 }}", "line 1, column 6", "division by zero")]
    [InlineData("{{ 1 // 0 }}{{ 1 % 0 }}", "line 1, column 6", "division by zero")]
    [InlineData("{{ 9223372036854775807 + 1 }}", "line 1, column 24", "too large")]
    [InlineData("{% for x in 5 %}{% endfor %}", "line 1, column 4", "an integer has no items")]
    [InlineData("{% set a.b = 1 %}", "line 1, column 4", "'a' is no namespace")]
    [InlineData("{% set a, b = [1] %}", "line 1, column 4", "1 values are assigned to 2 names")]
    [InlineData("{{ raise_exception('roles must alternate') }}", "line 1, column 19", "roles must alternate")]
    [InlineData("{{ 'a' | join('b', nope=1) }}", "line 1, column 10", "takes no argument 'nope'")]
    [InlineData("{{ 'a' | upper(1) }}", "line 1, column 10", "takes at most 0 arguments by position; 1 are given")]
    [InlineData("{{ 'a'.replace('b') }}", "line 1, column 15", "replace needs the argument 'new'")]
    [InlineData("{{ [1, 'a'] | sort }}", "line 1, column 15", "cannot be ordered")]
    [InlineData("{{ 'abc'[::0] }}", "line 1, column 9", "a slice's step cannot be 0")]
    [InlineData("{{ namespace() | tojson }}", "line 1, column 18", "a namespace has no JSON form")]
    public void Render_Failure_SaysWhereAndWhat(string template, string place, string problem)
    {
        var error = Assert.Throws<ChatTemplateException>(() => Render(template));

        Assert.Contains(place, error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ 'x' * 10 }}", "{{ 'x' * 11 }}")]
    [InlineData("{% for i in range(10) %}x{% endfor %}", "{% for i in range(11) %}x{% endfor %}")]
    [InlineData("{{ 'xxxxx' ~ 'xxxxx' }}", "{{ 'xxxxx' ~ 'xxxxxx' }}")]
    [InlineData("{% set x %}xxxxxxxxxx{% endset %}", "{% set x %}xxxxxxxxxxx{% endset %}")]
    public void Render_TenCharactersAllowed_TenPassAndElevenDoNot(string allowed, string refused)
    {
        var limits = new TemplateLimits { MaximumCharacters = 10 };

        Render(allowed, limits);

        Assert.Contains("grows beyond 10 characters", Assert.Throws<ChatTemplateException>(() => Render(refused, limits)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_IntermediateTexts_AreLimitedTogether()
    {
        const string Template = "{% for i in range(10) %}{% set x = 'ab' + 'cd' %}{% endfor %}";

        Render(Template, new TemplateLimits { MaximumTotalCharacters = 40 });

        Assert.Throws<ChatTemplateException>(() => Render(Template, new TemplateLimits { MaximumTotalCharacters = 39 }));
    }

    [Theory]
    [InlineData("{% for i in range({0}) %}{% for j in range({0}) %}{% endfor %}{% endfor %}")]
    [InlineData("{{ range({0} * {0}) | list | length }}")]
    [InlineData("{{ ([0] * {0} * {0}) | length }}")]
    public void Render_LongWork_IsStopped(string template)
    {
        var limits = new TemplateLimits { MaximumSteps = 100_000 };

        Render(template.Replace("{0}", "10", StringComparison.Ordinal), limits);

        var error = Assert.Throws<ChatTemplateException>(() => Render(template.Replace("{0}", "1000", StringComparison.Ordinal), limits));
        Assert.Contains("more than 100000 steps", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_MacroRecursion_StopsAtTheCallDepth()
    {
        const string Template = "{% macro f(n) %}{% if n > 1 %}{{ f(n - 1) }}{% endif %}x{% endmacro %}{{ f(N) }}";

        Assert.Equal(100, Render(Template.Replace("N", "100", StringComparison.Ordinal)).Length);

        var error = Assert.Throws<ChatTemplateException>(() => Render(Template.Replace("N", "101", StringComparison.Ordinal)));
        Assert.Contains("deeper than 100", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(" + 1")]
    [InlineData(" if 1")]
    [InlineData(" and 1")]
    [InlineData(" | abs")]
    [InlineData("[0]")]
    [InlineData("()")]
    public void Render_VeryLongChain_FailsInsteadOfOverflowingTheStack(string link)
    {
        string sum = "{{ 1" + string.Concat(Enumerable.Repeat(link, 150_000)) + " }}";

        Assert.Contains("nest too deeply", Assert.Throws<ChatTemplateException>(() => Render(sum)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ l }}")]
    [InlineData("{{ l | tojson }}")]
    [InlineData("{{ l == m }}")]
    public void Render_ListThatHoldsItself_FailsInsteadOfOverflowingTheStack(string use)
    {
        string template = "{% set l = [] %}{% set m = [] %}{% set _ = l.append(l) %}{% set _ = m.append(m) %}" + use;

        Assert.Throws<ChatTemplateException>(() => Render(template));
    }

    [Fact]
    public void Render_RandomTokens_FailOnlyWithATemplateError()
    {
        string[] parts = ["{{", "}}", "{%", "%}", "{#", "#}", "-", "+", "*", "//", "%", "**", "~", "|", ".", ",", ":", "(", ")", "[", "]", "{", "}", "=", "==", "<", " if ", " else ", " for x in ", " endfor ", " endif ", " set a ", " in ", " is ", " not ", "x", "loop", "'a'", "'😀b'", "1", "-2", "2.5", "none", "true", " upper ", " sort ", " join ", " defined ", " string ", "range(3)", "[1,2]", "{'k':1}", "messages", " macro m(x) ", " endmacro ", "m(1)", " first ", " replace('a','b') ", "[::-1]", ".items()", ".split()", ".index", "\n", " raw ", " map('upper') ", " tojson ", " int ", " round "];
        var random = new Random(5);
        var limits = new TemplateLimits { MaximumCharacters = 10_000, MaximumSteps = 10_000 };
        for (int round = 0; round < 30_000; round++)
        {
            string body = string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => parts[random.Next(parts.Length)]));
            string template = random.Next(3) switch { 0 => body, 1 => "{{ " + body + " }}", _ => "{% for x in [1,'a',none] %}{{ x " + body + " }}{% endfor %}" };
            try
            {
                Render(template, limits);
            }
            catch (ChatTemplateException)
            {
                // What a template error is expected to be.
            }
            catch (Exception error)
            {
                Assert.Fail($"round {round}: '{template}' threw {error}");
            }
        }
    }

    [Fact]
    public void Render_TimeFunction_FormatsLikePython()
    {
        var time = new DateTimeOffset(2025, 7, 4, 15, 6, 9, TimeSpan.Zero);

        string text = new CompiledTemplate("{{ strftime_now('%Y-%m-%d %H:%M:%S %B %b %A %a %I %p %y %j %-d %%') }}").Render([], time).Text;

        Assert.Equal("2025-07-04 15:06:09 July Jul Friday Fri 03 PM 25 185 4 %", text);
    }

    private static string Render(string template, TemplateLimits? limits = null) => new CompiledTemplate(template, limits).Render([], DateTimeOffset.UnixEpoch).Text;
}
