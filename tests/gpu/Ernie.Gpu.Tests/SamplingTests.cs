using Ernie.Cuda;
using Ernie.Execution;
using Ernie.Sampling;

namespace Ernie.Gpu.Tests;

/// <summary>What the device draws against the same steps taken on the host, from logits of a row that runs beside it.</summary>
public sealed class SamplingTests
{
    private const int Steps = 40;

    private static readonly int[] s_prompt = [3, 2732, 702, 264, 529];
    private static readonly int[] s_stops = [2, 4, 281];

    public static TheoryData<string> Requests => new("plain", "repetition", "frequency", "presence", "bias", "ban", "force", "min-tokens", "all");

    [Theory]
    [MemberData(nameof(Requests))]
    public void Greedy_WithAdjustments_TakesTheHostsToken(string request)
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        SamplingOptions options = Options(request);
        Session session = new(executor);
        executor.SetSlot(0, new DeviceSlot
        {
            Sampler = ArgMaxSampler.Instance,
            Options = options,
            Seed = 1,
            Stream = 0,
            Tokens = s_prompt,
            PromptLength = s_prompt.Length,
            StopTokens = options.MinTokens > 0 ? s_stops : [],
            MaxLength = s_prompt.Length + Steps,
        });
        session.Run(new SessionRow(0, 0, s_prompt[..^1], 0), new SessionRow(1, 0, s_prompt[..^1], 0));
        List<int> sequence = [.. s_prompt];

        RowEnd end = RowEnd.GoesOn;
        for (int step = 0; end == RowEnd.GoesOn; step++)
        {
            StepBatch batch = session.Batch;
            batch.Clear();
            int device = batch.Add(StepRow.Tokens(0, sequence.Count - 1, 1, 1));
            batch.Tokens[0] = step == 0 ? sequence[^1] : StepBatch.TokenOnDevice;
            batch.SampleOnDevice[device] = true;
            int host = batch.Add(StepRow.Tokens(1, sequence.Count - 1, 1, 1));
            batch.Tokens[1] = sequence[^1];
            executor.Begin(batch);
            StepOutput output = executor.Complete();

            int expected = Draw(output.Logits(host, 0).ToArray(), options, sequence);
            Assert.True(output.Tokens(host).IsEmpty);
            Assert.Equal([expected], output.Tokens(device));
            sequence.Add(expected);
            int generated = sequence.Count - s_prompt.Length;
            end = options.MinTokens > 0 && generated > options.MinTokens && s_stops.Contains(expected) ? RowEnd.StopToken
                : generated == Steps ? RowEnd.MaxLength
                : RowEnd.GoesOn;
            Assert.Equal(end, output.End(device));
            Assert.Equal(RowEnd.Undecided, output.End(host));
        }
    }

    private static SamplingOptions Options(string request)
    {
        SamplingOptions greedy = SamplingOptions.Greedy;
        return request switch
        {
            "repetition" => greedy with { RepetitionPenalty = 1.3f },
            "frequency" => greedy with { FrequencyPenalty = 0.7f },
            "presence" => greedy with { PresencePenalty = 1.1f },
            "bias" => greedy with { LogitBias = new Dictionary<int, float> { [281] = -3, [500] = 6 } },
            "ban" => greedy with { LogitBias = new Dictionary<int, float> { [281] = -100, [265] = -100 } },
            "force" => greedy with { LogitBias = new Dictionary<int, float> { [777] = 100 } },
            "min-tokens" => greedy with { MinTokens = 5 },
            "all" => greedy with
            {
                RepetitionPenalty = 1.2f, FrequencyPenalty = 0.2f, PresencePenalty = 0.3f, MinTokens = 3,
                LogitBias = new Dictionary<int, float> { [300] = 2 },
            },
            _ => greedy,
        };
    }

    // The server's order: biases, min-tokens mask, penalties.
    private static int Draw(float[] logits, SamplingOptions options, List<int> sequence)
    {
        int[] generated = [.. sequence.Skip(s_prompt.Length)];
        foreach ((int token, float bias) in options.LogitBias ?? new Dictionary<int, float>())
            logits[token] = bias <= -100 ? -3e38f : bias >= 100 ? logits[token] + 1e30f : logits[token] + bias;
        if (generated.Length < options.MinTokens)
        {
            foreach (int stop in s_stops)
                logits[stop] = -3e38f;
        }

        if (options.RepetitionPenalty != 1 || options.FrequencyPenalty != 0 || options.PresencePenalty != 0)
        {
            foreach (int token in sequence.Distinct())
            {
                float x = logits[token];
                x = x > 0 ? x / options.RepetitionPenalty : x * options.RepetitionPenalty;
                int count = generated.Count(other => other == token);
                logits[token] = count > 0 ? x - ((count * options.FrequencyPenalty) + options.PresencePenalty) : x;
            }
        }

        return Array.IndexOf(logits, logits.Max());
    }
}
