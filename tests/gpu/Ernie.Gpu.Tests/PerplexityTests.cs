using System.Text.Json;
using Ernie.Cuda;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Tokenization;

namespace Ernie.Gpu.Tests;

/// <summary>Perplexity on the held-out tales: 51,464 predictions in windows of 1,024.</summary>
public sealed class PerplexityTests
{
    private const int Window = 1024;

    // The reference's figures are for weights rounded to nearest and f32 activations.
    [Theory]
    [InlineData("bf16", 30.954 * 0.997, 30.954 * 1.003)]
    [InlineData("wint8", 30.961 * 0.997, 30.961 * 1.003)]
    [InlineData("fp8", 31.004 * 0.997, 31.004 * 1.003)]
    [InlineData("wint4", 30, 32.09)]
    public void HeldOutTales_Perplexity_IsTheReferences(string quantization, double least, double most)
    {
        WeightEncoding encoding = quantization switch
        {
            "wint8" => WeightEncoding.Int8PerChannel,
            "wint4" => WeightEncoding.Int4Group(128),
            "fp8" => WeightEncoding.Fp8Block128,
            _ => WeightEncoding.Bf16,
        };

        double perplexity = Measure(encoding, KeyValueFormat.BFloat16);

        TestContext.Current.TestOutputHelper?.WriteLine($"{quantization}: {perplexity:F4}");
        Assert.InRange(perplexity, least, most);
    }

    // 8-bit caches are held to what is asked of quantised weights.
    [Theory]
    [InlineData(KeyValueFormat.Float8)]
    [InlineData(KeyValueFormat.Integer8)]
    public void HeldOutTales_PerplexityWithAnEightBitCache_IsWithinThreeTenthsOfAPercent(KeyValueFormat format)
    {
        double perplexity = Measure(WeightEncoding.Bf16, format);

        TestContext.Current.TestOutputHelper?.WriteLine($"cache {format}: {perplexity:F4}");
        Assert.InRange(perplexity, 30.954 * 0.997, 30.954 * 1.003);
    }

    private static double Measure(WeightEncoding encoding, KeyValueFormat format)
    {
        using CudaExecutor executor = Gpu.Tales(new QuantizationRecipe(encoding, WeightEncoding.Bf16), options => options.KeyValueFormat = format);
        Session session = new(executor);
        int[] ids = Encode();
        double loss = 0;
        for (int start = 0; start + 1 < ids.Length; start += Window)
        {
            int length = Math.Min(Window, ids.Length - 1 - start);
            float[][] logits = session.Run(new SessionRow(0, 0, ids[start..(start + length)], length))[0];
            loss += Enumerable.Range(0, length).AsParallel().Sum(i => Loss(logits[i], ids[start + i + 1]));
        }

        return Math.Exp(loss / (ids.Length - 1));
    }

    private static double Loss(float[] logits, int next)
    {
        double largest = logits.Max(), sum = 0;
        foreach (float value in logits)
            sum += Math.Exp(value - largest);
        return Math.Log(sum) + largest - logits[next];
    }

    private static int[] Encode()
    {
        string model = Path.GetDirectoryName(RepositoryFiles.Require("models/tales/tokenizer.model"))!; // A file has a folder.
        BpeTokenizer tokenizer = TokenizerLoader.Load(model);
        using FileStream file = File.OpenRead(RepositoryFiles.Require("tests/fixtures/tales-heldout.json"));
        using JsonDocument document = JsonDocument.Parse(file);
        List<int> ids = [];
        foreach (JsonElement text in document.RootElement.EnumerateArray())
            ids.AddRange([3, .. tokenizer.Encode(text.GetString()!), 2]); // An array of strings.

        Assert.Equal(51465, ids.Count);
        return [.. ids];
    }
}
