using System.Text.Json;
using Ernie.Testing;
using Ernie.Weights;

namespace Ernie.Cpu.Tests;

/// <summary>The full-size model with made-up weights against the reference implementation.</summary>
public sealed class SyntheticModelTests
{
    [Theory]
    [InlineData("s5")]
    [InlineData("s64")]
    public void Reference_LastLogits_MatchFixture(string prompt)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("ERNIE_FULL_SIZE") == "1", "Full size takes 1 GB and half a minute: set ERNIE_FULL_SIZE=1.");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(TalesFixture.PathOf("synthetic-0.3b.json")));
        int[] ids = [.. document.RootElement.GetProperty("prompts").EnumerateArray()
            .Single(entry => entry.GetProperty("name").GetString() == prompt).GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
        using var runner = new ModelRunner(DenseModels.Build(DenseModels.FullSize), new DummyCheckpoint(), ModelRunner.ReferenceOptions);

        Span<float> logits = runner.Run(0, 0, ids);

        double error = Numeric.RelativeError(TalesFixture.Logits("synthetic-0.3b-logits.safetensors", prompt, 103424), logits);
        TestContext.Current.TestOutputHelper?.WriteLine($"{prompt}: {error:E3}");
        Assert.True(error <= 1e-3, $"{prompt}: relative error {error:E3}.");
    }
}
