using System.Runtime.Intrinsics;
using System.Text.Json;
using Ernie.Cpu.Operations;
using Ernie.Execution;
using Ernie.Graph;
using Ernie.Tokenization;

namespace Ernie.Cpu.Tests;

/// <summary>Perplexity on the held-out tales, as the fixtures' README defines it, per quantisation and activation precision.</summary>
public sealed class PerplexityTests
{
    private const int Window = 1024;

    private static readonly Lazy<int[]> s_ids = new(Encode);

    // Reference: round-to-nearest weights, f32 activations.
    [Theory]
    [InlineData("bf16", 30.954)]
    [InlineData("wint8", 30.961)]
    [InlineData("fp8", 31.004)]
    public void FloatActivations_Perplexity_IsWithinATenthOfAPercent(string quantization, double expected)
    {
        double perplexity = Measure(quantization, ModelRunner.ReferenceOptions);

        Assert.InRange(perplexity, expected * 0.999, expected * 1.001);
    }

    [Fact]
    public void FourBitsFloatActivations_Perplexity_IsAtMostTheTarget() =>
        Assert.InRange(Measure("wint4", ModelRunner.ReferenceOptions), 30, 32.09);

    // At most 0.5 % on top of the same weights with f32 activations (wint8: 30.961; wint4: at most 32.09).
    [Theory]
    [InlineData("wint8", 30.961 * 1.005)]
    [InlineData("wint4", 32.09 * 1.005)]
    public void IntegerActivations_Perplexity_CostsAtMostHalfAPercent(string quantization, double bound) =>
        Assert.InRange(Measure(quantization, ModelRunner.SmallOptions), 30, bound);

    // 8-bit caches are held to what is asked of quantised weights; the GPU is held to the same.
    [Theory]
    [InlineData(CachePrecision.Float8)]
    [InlineData(CachePrecision.Integer8)]
    public void EightBitCache_Perplexity_IsWithinThreeTenthsOfAPercent(CachePrecision cache) =>
        Assert.InRange(Measure("bf16", ModelRunner.ReferenceOptions with { CachePrecision = cache }), 30.954 * 0.997, 30.954 * 1.003);

    private static double Measure(string quantization, CpuOptions options)
    {
        WeightEncoding encoding = quantization switch
        {
            "wint8" => WeightEncoding.Int8PerChannel,
            "wint4" => WeightEncoding.Int4Group(128),
            "fp8" => WeightEncoding.Fp8Block128,
            _ => WeightEncoding.Bf16,
        };
        using ModelRunner runner = ModelRunner.Tales(options, new QuantizationRecipe(encoding, WeightEncoding.Bf16));
        double loss = 0;
        int count = 0;
        int[] ids = s_ids.Value;
        for (int start = 0; start + 1 < ids.Length; start += Window)
        {
            int length = Math.Min(Window, ids.Length - 1 - start);
            runner.Batch.Clear();
            int row = runner.Batch.Add(StepRow.Tokens(0, 0, length, length));
            ids.AsSpan(start, length).CopyTo(runner.Batch.Tokens);
            StepOutput output = runner.Step();
            for (int i = 0; i < length; i++)
                loss += Loss(output.Logits(row, i), ids[start + i + 1]);
            count += length;
        }

        double perplexity = Math.Exp(loss / count);
        TestContext.Current.TestOutputHelper?.WriteLine($"{quantization}, {options.ActivationPrecision}, cache {options.EffectiveCachePrecision}: {perplexity:F4} over {count} tokens");
        return perplexity;
    }

    private static double Loss(ReadOnlySpan<float> logits, int next)
    {
        float largest = logits[ModelRunner.ArgMax(logits)];
        Vector512<float> sums = default;
        for (int i = 0; i < logits.Length; i += 16)
            sums += VectorMath.Exp(Vector512.Create(logits[i..]) - Vector512.Create(largest));
        return Math.Log(Vector512.Sum(sums)) + largest - logits[next];
    }

    private static int[] Encode()
    {
        BpeTokenizer tokenizer = TokenizerLoader.Load(Path.Combine(Testing.SharedFixtures.RepositoryRoot, "models", "tales"));
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(TalesFixture.PathOf("tales-heldout.json")));
        var ids = new List<int>();
        foreach (JsonElement text in document.RootElement.EnumerateArray())
        {
            ids.Add(3);
            ids.AddRange(tokenizer.Encode(text.GetString()!));
            ids.Add(2);
        }

        Assert.Equal(51465, ids.Count);
        return [.. ids];
    }
}
