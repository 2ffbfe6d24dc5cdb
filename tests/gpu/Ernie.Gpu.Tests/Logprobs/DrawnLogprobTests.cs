using Ernie.Cuda;
using Ernie.Execution;
using Ernie.Sampling;
using Ernie.Testing.Samplers;

namespace Ernie.Gpu.Tests.Logprobs;

/// <summary>What steps tell of the tokens that they draw, against the logits of a row that runs beside each.</summary>
public sealed class DrawnLogprobTests
{
    private const int Steps = 8;

    private static readonly int[] s_prompt = [3, 2732, 702, 264, 529];
    private static readonly int[] s_stops = [2, 4, 281];

    public static TheoryData<string> Formats => new("bf16", "wint8", "wint4", "fp8");

    public static TheoryData<string> Samplers => new(ShippedDeviceForms.All.Select(sampler => sampler.Name));

    public static TheoryData<string> Requests => new("plain", "bias", "force", "min-tokens", "penalties", "all");

    [Theory]
    [MemberData(nameof(Formats))]
    public void Steps_InEveryFormat_TellOfTheRawRow(string format) => Check(format, ArgMaxSampler.Instance, SamplingOptions.Greedy, graphs: true);

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Steps_OfEverySampler_TellOfTheRawRow(string name) =>
        Check("bf16", ShippedDeviceForms.Named(name), ShippedDeviceForms.Requests(name)[^1], graphs: true);

    [Theory]
    [MemberData(nameof(Requests))]
    public void Steps_WithProcessors_TellOfTheRawRow(string request)
    {
        Check("bf16", ArgMaxSampler.Instance, Options(request), graphs: true);
        Check("bf16", ArgMaxSampler.Instance, Options(request), graphs: false);
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public void Step_WithProcessorsAndThatMode_TellsOfTheProcessedRow(string request)
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        SamplingOptions options = Options(request);
        Session session = new(executor);
        session.Run(new SessionRow(0, 0, s_prompt[..^1], 0), new SessionRow(1, 0, s_prompt[..^1], 0));
        SetSlot(executor, 0, ArgMaxSampler.Instance, options, LogitStage.Processed);
        StepOutput output = Step(executor, session.Batch, s_prompt.Length - 1, s_prompt[^1], rivals: 20);

        float[] processed = Process(output.Logits(1, 0).ToArray(), options);

        int token = output.Tokens(0)[0];
        Assert.Equal(Array.IndexOf(processed, processed.Max()), token);
        new LogprobOracle(processed).AssertTold(request, token, 20, output.Logprobs(0));
    }

    [Fact]
    public void Step_WithoutLogprobs_RefusesToTell()
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        Session session = new(executor);
        session.Run(new SessionRow(0, 0, s_prompt[..^1], 0), new SessionRow(1, 0, s_prompt[..^1], 0));
        SetSlot(executor, 0, ArgMaxSampler.Instance, SamplingOptions.Greedy, null);

        StepOutput output = Step(executor, session.Batch, s_prompt.Length - 1, s_prompt[^1], rivals: -1);

        Assert.Throws<InvalidOperationException>(() => output.Logprobs(0).Token);
        Assert.Throws<InvalidOperationException>(() => output.PromptLogprobs(0, 0).Token);
    }

    /// <summary>Steady decoding uploads nothing: what a row wants is still on the device, and another wish is noticed.</summary>
    [Fact]
    public void Steps_ThatGoOnByThemselves_TellWhatEachRowWants()
    {
        const int Rows = 6;
        using CudaExecutor executor = Gpu.Tales("bf16");
        Session session = new(executor);
        for (int slot = 0; slot < Rows; slot++)
        {
            session.Run(new SessionRow(slot, 0, [.. s_prompt[..^1], slot + 300], 0));
            SetSlot(executor, slot, ArgMaxSampler.Instance, SamplingOptions.Greedy, LogitStage.Raw, [.. s_prompt[..^1], slot + 300, s_prompt[^1]]);
        }

        for (int step = 0; step < Steps; step++)
        {
            StepBatch batch = session.Batch;
            batch.Clear();
            for (int slot = 0; slot < Rows; slot++)
            {
                int row = batch.Add(StepRow.Tokens(slot, s_prompt.Length + step, 1, 1));
                batch.RowTokens(row)[0] = step == 0 ? s_prompt[^1] : StepBatch.TokenOnDevice;
                batch.SampleOnDevice[row] = true;
                batch.Logprobs[row] = Wish(slot, step);
            }

            executor.Begin(batch);
            StepOutput output = executor.Complete();
            for (int slot = 0; slot < Rows; slot++)
            {
                if (Wish(slot, step) < 0)
                    continue;

                TokenLogits told = output.Logprobs(slot);
                Assert.Equal(output.Tokens(slot)[0], told.Token);
                Assert.Equal(1, told.Rank); // Greedy.
                Assert.Equal(Wish(slot, step), told.Rivals.Length);
                Assert.True(told.Rivals.IsEmpty || told.Rivals[0] == told.Token);
                Assert.InRange(told.Logit - told.LogSum, -20, 1e-5);
            }
        }

        static int Wish(int slot, int step) => slot switch { 1 => -1, 3 => step < 4 ? 5 : 2, _ => slot };
    }

    private static void Check(string format, ISampler sampler, SamplingOptions options, bool graphs)
    {
        using CudaExecutor executor = Gpu.Tales(format, builder =>
        {
            builder.UsesGraphs = graphs;
            builder.Samplers = [sampler];
        });
        Session session = new(executor);
        session.Run(new SessionRow(0, 0, s_prompt[..^1], 0), new SessionRow(1, 0, s_prompt[..^1], 0));
        SetSlot(executor, 0, sampler, options, LogitStage.Raw);
        int last = s_prompt[^1];
        for (int step = 0; step < Steps; step++)
        {
            int rivals = (int[])[0, 1, 5, 20] is var counts ? counts[step % counts.Length] : 0;
            StepOutput output = Step(executor, session.Batch, s_prompt.Length - 1 + step, last, rivals);
            if (output.Tokens(0).IsEmpty)
                break;

            last = output.Tokens(0)[0];
            new LogprobOracle(output.Logits(1, 0).ToArray()).AssertTold($"{format} {sampler.Name} step {step}", last, rivals, output.Logprobs(0));
        }
    }

    // Row 0 draws, row 1 gives its logits to the host: the same text, so the same logits.
    private static StepOutput Step(CudaExecutor executor, StepBatch batch, int position, int token, int rivals)
    {
        batch.Clear();
        int device = batch.Add(StepRow.Tokens(0, position, 1, 1)), host = batch.Add(StepRow.Tokens(1, position, 1, 1));
        batch.RowTokens(device)[0] = batch.RowTokens(host)[0] = token;
        batch.SampleOnDevice[device] = true;
        batch.Logprobs[device] = rivals;
        executor.Begin(batch);
        return executor.Complete();
    }

    private static void SetSlot(CudaExecutor executor, int slot, ISampler sampler, SamplingOptions options, LogitStage? stage, int[]? tokens = null) =>
        executor.SetSlot(slot, new DeviceSlot
        {
            Sampler = sampler,
            Options = options,
            Seed = 11,
            Stream = 0,
            Tokens = tokens ?? s_prompt,
            PromptLength = (tokens ?? s_prompt).Length,
            StopTokens = options.MinTokens > 0 ? s_stops : [],
            MaxLength = 500,
            Logprobs = stage,
        });

    private static SamplingOptions Options(string request) => request switch
    {
        "bias" => SamplingOptions.Greedy with { LogitBias = new Dictionary<int, float> { [281] = -3, [500] = 6, [265] = -100 } },
        "force" => SamplingOptions.Greedy with { LogitBias = new Dictionary<int, float> { [777] = 100 } },
        "min-tokens" => SamplingOptions.Greedy with { MinTokens = 50 },
        "penalties" => SamplingOptions.Greedy with { RepetitionPenalty = 1.3f },
        "all" => SamplingOptions.Greedy with { RepetitionPenalty = 1.2f, MinTokens = 50, LogitBias = new Dictionary<int, float> { [300] = 2 } },
        _ => SamplingOptions.Greedy,
    };

    // Before the first token of an output: nothing has been generated.
    private static float[] Process(float[] logits, SamplingOptions options)
    {
        const float Banned = -3.0e38f;
        bool forces = options.LogitBias?.Values.Any(bias => bias >= 100) == true;
        float[] processed = [.. logits.Select((logit, token) => options.LogitBias?.TryGetValue(token, out float bias) == true
            ? forces && bias < 100 || bias <= -100 ? Banned : logit + bias
            : forces ? Banned : logit)];
        foreach (int stop in options.MinTokens > 0 ? s_stops : [])
            processed[stop] = Banned;
        foreach (int token in options.RepetitionPenalty != 1 ? s_prompt : [])
            processed[token] = processed[token] > 0 ? processed[token] / options.RepetitionPenalty : processed[token] * options.RepetitionPenalty;
        return processed;
    }
}
