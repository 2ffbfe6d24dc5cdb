using System.Text.Json;
using Ernie.Graph;
using Ernie.Testing;
using Ernie.Tokenization;

namespace Ernie.Weights.Tests;

/// <summary>The oracle against the reference implementation's logits, and each quantisation scheme's cost by the oracle.</summary>
public sealed class ReferenceModelTests
{
    // One window of 51 keeps the test short; the whole table is in docs/quantization.md.
    private const int Windows = 1;

    private static readonly Lazy<double> s_exactPerplexity = new(() => Tales(WeightEncoding.Bf16).Perplexity(HeldOutIds(), maxWindows: Windows));

    [Fact]
    public void Logits_TalesPrompts_EqualTheReferenceImplementation()
    {
        string prompts = SharedFixtures.Require("fixtures/tales.json");
        using SafetensorsCheckpoint expected = SafetensorsCheckpoint.Open(SharedFixtures.Require("fixtures/tales-logits.safetensors"));
        ReferenceModel model = Tales(WeightEncoding.Bf16);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(prompts));

        foreach (JsonElement prompt in document.RootElement.GetProperty("prompts").EnumerateArray())
        {
            string name = prompt.GetProperty("name").GetString()!;
            int[] ids = [.. prompt.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            var logits = new float[4096];
            expected.Find(name)!.Read(0, logits);

            float[] actual = model.Logits(ids, lastOnly: true);

            Assert.InRange(Numeric.RelativeError(logits, actual), 0, 1e-4);
        }
    }

    [Theory]
    [InlineData(WeightFormat.Int8, 0, 1.001)]
    [InlineData(WeightFormat.Float8, 128, 1.004)]
    [InlineData(WeightFormat.Int4, 64, 1.025)]
    [InlineData(WeightFormat.Int4, 128, 1.03)]
    public void Perplexity_QuantizedTales_GrowsByLittle(WeightFormat format, int groupSize, double greatestRatio)
    {
        int[] ids = HeldOutIds();

        double quantized = Tales(new WeightEncoding(format, groupSize)).Perplexity(ids, maxWindows: Windows);

        // Over one window rounding may happen to help a little.
        Assert.InRange(quantized / s_exactPerplexity.Value, 0.99, greatestRatio);
    }

    private static int[] HeldOutIds()
    {
        BpeTokenizer tokenizer = TokenizerLoader.Load(TalesModel.Folder);
        string[] texts = JsonSerializer.Deserialize<string[]>(File.ReadAllText(SharedFixtures.Require("fixtures/tales-heldout.json")))!;
        return [.. texts.SelectMany(text => (int[])[3, .. tokenizer.Encode(text), 2])];
    }

    // Through the loader, so that what is judged is what backends get; the projections alone are quantised.
    private static ReferenceModel Tales(WeightEncoding encoding)
    {
        using SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.Open(TalesModel.WeightsPath);
        var loader = new WeightLoader(checkpoint);
        var tensors = new Dictionary<string, float[]>();
        foreach (string name in checkpoint.Names)
        {
            CheckpointTensor tensor = checkpoint.Find(name)!;
            int rows = (int)tensor.Shape[0];
            if (tensor.Shape.Length == 1)
            {
                tensors[name] = loader.LoadVector(new TensorReference(name, rows));
                continue;
            }
            int columns = (int)tensor.Shape[1];
            bool isProjection = name.Contains("_proj.", StringComparison.Ordinal);
            var weight = new LinearWeight(new TensorReference(name, rows, columns), WeightRole.MlpProjection) { Encoding = isProjection ? encoding : WeightEncoding.Bf16 };
            using WeightMatrix matrix = loader.Load(weight);
            var values = new float[rows * columns];
            for (int row = 0; row < rows; row++)
                matrix.DequantizeRow(row, values.AsSpan(row * columns, columns));
            tensors[name] = values;
        }
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"];
        return new ReferenceModel(ReferenceShape.Tales, name => tensors[name]);
    }
}
