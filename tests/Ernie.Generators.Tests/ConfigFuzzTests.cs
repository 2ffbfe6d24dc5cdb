namespace Ernie.Generators.Tests;

/// <summary>A compiler must survive any file: a config gives a spec or diagnostics inside its text, never an exception.</summary>
public sealed class ConfigFuzzTests
{
    private static readonly string[] s_values =
    [
        "0", "1", "2", "3", "7", "-1", "64", "128", "4096", "2147483647", "2147483648", "1e308", "1e-320", "1.5", "true", "false", "null", "\"\"", "\"silu\"",
        "[]", "[1]", "[1,2]", "[[1]]", "{}", "{\"rope_theta\":3}", "{\"factor\":1}", "\"ernie4_5_moe\"", "[\"Ernie4_5_MoeForCausalLM\"]",
    ];

    [Theory]
    [InlineData(Configs.Dense)]
    [InlineData(Configs.Mixture)]
    [InlineData(Configs.Qwen)]
    public void Parse_RandomValues_GiveASpecOrDiagnostics(string config)
    {
        const int seed = 1045;
        var random = new Random(seed);
        int specs = 0;
        for (int round = 0; round < 5_000; round++)
        {
            string[] lines = config.Split('\n');
            for (int edit = random.Next(1, 4); edit > 0; edit--)
            {
                int line = random.Next(1, lines.Length - 1);
                int colon = lines[line].IndexOf(':', StringComparison.Ordinal);
                lines[line] = $"{lines[line][..colon]}: {s_values[random.Next(s_values.Length)]}{(line < lines.Length - 2 ? "," : "")}";
            }

            string text = string.Join('\n', lines);
            ParsedModel model = Configs.Parse(text);

            Assert.True(model.Spec is null == model.Diagnostics.Count > 0, $"seed {seed}, round {round}: {text}");
            Assert.All(model.Diagnostics, diagnostic => Assert.InRange(diagnostic.Span.Start + diagnostic.Span.Length, 0, text.Length));
            if (model.Spec is { } spec)
            {
                specs++;
                Assert.Contains($"class {ClassNames.For("m")}", ModelEmitter.Emit(GraphSpecBuilder.Build("m", spec)), StringComparison.Ordinal);
            }
        }

        Assert.InRange(specs, 100, 4_900);
    }
}
