using System.Text.Json;
using Ernie.Tokenization.Jinja;

namespace Ernie.Tokenization.Tests.Jinja;

/// <summary>Renderings against those of Jinja 3.1 with the settings of chat templates (recorded in <c>jinja-cases.json</c>).</summary>
public sealed class TemplateCaseTests
{
    private const string Defaults = """
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi <|x|> there"}, {"role": "assistant", "content": "<think>hm</think>Hello"}, {"role": "user", "content": "  Bye é 😀 "}],
         "tools": [{"type": "function", "function": {"name": "add", "description": "Adds \"two\" <numbers> & more", "parameters": {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number", "default": 1.5}}, "required": ["a"]}}}]}
        """;

    public static TheoryData<string, string, string, string> Cases()
    {
        var cases = new TheoryData<string, string, string, string>();
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Jinja", "Rendering", "jinja-cases.json")));
        foreach (JsonElement entry in file.RootElement.EnumerateArray())
            cases.Add(entry.GetProperty("name").GetString()!, entry.GetProperty("template").GetString()!, entry.GetProperty("variables").GetRawText(), entry.GetProperty("expected").GetString()!);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Render_RecordedCase_GivesWhatJinjaGives(string name, string template, string variables, string expected)
    {
        Dictionary<string, object?> values = [];
        foreach (string json in (string[])[Defaults, variables])
        {
            using var document = JsonDocument.Parse(json);
            foreach (JsonProperty property in document.RootElement.EnumerateObject()) values[property.Name] = Values.FromJson(property.Value);
        }

        string actual = new CompiledTemplate(template).Render(values, DateTimeOffset.UnixEpoch).Text;

        Assert.True(expected == actual, $"{name}: expected <{expected}>, got <{actual}>");
    }
}
