using System.Numerics;
using Ernie.Sampling;

namespace Ernie.Samplers.Tests.Shipped;

public class ShippedSamplerTests
{
    private const int ErnieVocabulary = 103_424;

    public static TheoryData<string> Names => ShippedSamplers.Names;

    public static TheoryData<string, string, double, bool> Fields => new()
    {
        { "typical", "typical_p", 0, false },
        { "typical", "typical_p", 1e-6, true },
        { "typical", "typical_p", 1, true },
        { "typical", "typical_p", 1.001, false },
        { "typical", "typical_p", double.NaN, false },
        { "epsilon-cutoff", "epsilon_cutoff", 0, false },
        { "epsilon-cutoff", "epsilon_cutoff", 1e-9, true },
        { "epsilon-cutoff", "epsilon_cutoff", 0.999, true },
        { "epsilon-cutoff", "epsilon_cutoff", 1, false },
        { "eta-cutoff", "eta_cutoff", 0, false },
        { "eta-cutoff", "eta_cutoff", 1e-9, true },
        { "eta-cutoff", "eta_cutoff", 0.999, true },
        { "eta-cutoff", "eta_cutoff", 1, false },
        { "top-n-sigma", "top_n_sigma", 0, false },
        { "top-n-sigma", "top_n_sigma", 1e-3, true },
        { "top-n-sigma", "top_n_sigma", 100, true },
        { "top-n-sigma", "top_n_sigma", 100.1, false },
        { "xtc", "xtc_probability", -0.001, false },
        { "xtc", "xtc_probability", 0, true },
        { "xtc", "xtc_probability", 1, true },
        { "xtc", "xtc_probability", 1.001, false },
        { "xtc", "xtc_threshold", -0.001, false },
        { "xtc", "xtc_threshold", 0, true },
        { "xtc", "xtc_threshold", 1, true },
        { "xtc", "xtc_threshold", 1.001, false },
        { "mirostat-2", "mirostat_tau", 0, false },
        { "mirostat-2", "mirostat_tau", 0.01, true },
        { "mirostat-2", "mirostat_tau", 32, true },
        { "mirostat-2", "mirostat_tau", 32.1, false },
        { "mirostat-2", "mirostat_eta", 0, false },
        { "mirostat-2", "mirostat_eta", 0.01, true },
        { "mirostat-2", "mirostat_eta", 1, true },
        { "mirostat-2", "mirostat_eta", 1.01, false },
        { "dry", "dry_multiplier", -0.1, false },
        { "dry", "dry_multiplier", 0, true },
        { "dry", "dry_multiplier", 100, true },
        { "dry", "dry_multiplier", 100.1, false },
        { "dry", "dry_base", 0.99, false },
        { "dry", "dry_base", 1, true },
        { "dry", "dry_base", 10, true },
        { "dry", "dry_base", 10.1, false },
        { "dry", "dry_allowed_length", 0, false },
        { "dry", "dry_allowed_length", 1, true },
        { "dry", "dry_allowed_length", 1.5, false },
        { "dry", "dry_allowed_length", 255, true },
        { "dry", "dry_allowed_length", 256, false },
    };

    [Theory]
    [MemberData(nameof(Fields))]
    public void WriteParameters_FieldAtItsLimit_IsTakenOrNamed(string name, string field, double value, bool isTaken)
    {
        ISampler sampler = ShippedSamplers.ByName[name];
        byte[] block = new byte[sampler.ParameterBytes];
        var options = new SamplingOptions { Extra = new Dictionary<string, double> { [field] = value } };

        Exception? thrown = Record.Exception(() => sampler.WriteParameters(options, block));

        Assert.Equal(isTaken, thrown is null);
        Assert.Equal(isTaken ? null : field, (thrown as ArgumentException)?.ParamName);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void WriteParameters_StandardFieldOutside_IsNamed(string name)
    {
        ISampler sampler = ShippedSamplers.ByName[name];
        byte[] block = new byte[sampler.ParameterBytes];
        string? Refused(SamplingOptions options) =>
            (Record.Exception(() => sampler.WriteParameters(options, block)) as ArgumentException)?.ParamName;

        Assert.Equal("top_p", Refused(new SamplingOptions { TopP = -0.01f }));
        Assert.Equal("top_p", Refused(new SamplingOptions { TopP = 1.01f }));
        Assert.Equal("min_p", Refused(new SamplingOptions { MinP = -0.01f }));
        Assert.Equal("min_p", Refused(new SamplingOptions { MinP = 1.01f }));
        Assert.Equal("temperature", Refused(new SamplingOptions { Temperature = -1 }));
        Assert.Equal("temperature", Refused(new SamplingOptions { Temperature = float.NaN }));
        Assert.Null(Refused(new SamplingOptions { TopP = 0 }));
        Assert.Null(Refused(new SamplingOptions { TopP = 1, MinP = 1, Temperature = 0, TopK = -1 }));
        Assert.InRange(sampler.ParameterBytes, 1, SamplerLimits.MaxParameterBytes);
        Assert.InRange(sampler.ScratchBytes, 0, SamplerLimits.MaxScratchBytes);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Sample_SameSeedAndPosition_DrawsTheSameToken(string name)
    {
        float[] logits = Oracle.Logits(1000, seed: 20);
        int[] Run(ulong seed)
        {
            var harness = new SamplerHarness(name, new SamplingOptions { Temperature = 2 }, logits.Length);
            return [.. Enumerable.Range(0, 50).Select(position => harness.Draw(logits, seed, position))];
        }

        int[] first = Run(seed: 5);

        Assert.Equal(first, Run(seed: 5));
        Assert.NotEqual(first, Run(seed: 6));
        Assert.True(first.Distinct().Count() > 1);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Sample_TemperatureBelowTheLimit_TakesTheFirstLargest(string name)
    {
        float[] logits = [.. Enumerable.Repeat(-1f, 40), 3, 3, float.NaN, 2];
        var greedy = new SamplerHarness(name, new SamplingOptions { Temperature = 0.9e-5f }, logits.Length);

        Assert.All(Enumerable.Range(0, 20), position => Assert.Equal(40, greedy.Draw(logits, seed: 3, position)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Sample_LengthsAroundVectorsAndBlocks_NeverDrawsAMaskedToken(string name)
    {
        int width = Vector<float>.Count;
        foreach (int vocabulary in (int[])[1, width - 1, width, width + 1, 255, 256, 257, 600])
        {
            float[] logits = Oracle.Logits(vocabulary, seed: vocabulary);
            logits[vocabulary - 1] = 0.5f;
            var harness = new SamplerHarness(name, new SamplingOptions { TopK = 20, TopP = 0.9f }, vocabulary);
            for (int position = 0; position < 200; position++)
            {
                int token = harness.Draw(logits, seed: 4, position);

                Assert.InRange(token, 0, vocabulary - 1);
                Assert.True(float.IsFinite(logits[token]), $"token {token} of {vocabulary} is masked");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Sample_OneTokenLeft_DrawsIt(string name)
    {
        float[] logits = new float[ErnieVocabulary];
        Array.Fill(logits, float.NegativeInfinity);
        logits[77_777] = -3;
        var harness = new SamplerHarness(name, new SamplingOptions { Temperature = 1.7f, TopP = 0.8f }, ErnieVocabulary);

        Assert.Equal(77_777, harness.Draw(logits, seed: 1, position: 0));
        logits[88_888] = float.PositiveInfinity;
        Assert.Equal(88_888, harness.Draw(logits, seed: 1, position: 0));
        Array.Fill(logits, float.NegativeInfinity);
        Assert.Equal(0, harness.Draw(logits, seed: 1, position: 0));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Sample_AfterWarmUp_AllocatesNothing(string name)
    {
        float[] logits = Oracle.Logits(ErnieVocabulary, seed: 30);
        var harness = new SamplerHarness(name, new SamplingOptions { TopK = 50, TopP = 0.8f }, ErnieVocabulary)
        {
            Tail = [.. Enumerable.Range(0, 256).Select(i => i % 7)],
        };
        // The same draws twice: what a draw does for the first time, the runtime may prepare with memory of its own.
        DrawTen();

        long before = GC.GetAllocatedBytesForCurrentThread();
        DrawTen();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void DrawTen()
        {
            for (int position = 0; position < 10; position++)
            {
                harness.Draw(logits, seed: 1, position);
            }
        }
    }
}
