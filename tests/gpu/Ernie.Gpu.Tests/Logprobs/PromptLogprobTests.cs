using Ernie.Cuda;
using Ernie.Execution;
using Ernie.Sampling;

namespace Ernie.Gpu.Tests.Logprobs;

/// <summary>What steps tell of the tokens of prompts, against the logits that the host gets of the same steps.</summary>
public sealed class PromptLogprobTests
{
    /// <summary>Around the rows of logits that the device holds, 128 here, and the sizes at which kernels change.</summary>
    public static TheoryData<string, int> Prompts => new(
        ((string, int)[])[.. ((int[])[2, 3, 9, 10, 64, 127, 128, 129, 130, 257, 600]).Select(length => ("bf16", length)), ("wint8", 200), ("wint4", 200), ("fp8", 600)]);

    [Theory]
    [MemberData(nameof(Prompts))]
    public void Prompt_OfALength_IsToldAsTheHostSees(string format, int length)
    {
        using CudaExecutor executor = Gpu.Tales(format);
        int[] tokens = Ids(length, 1);
        float[][] logits = HostLogits(executor, tokens);
        Session session = new(executor);
        StepBatch batch = session.Batch;
        batch.Clear();
        Add(batch, 0, 0, tokens, next: -1, rivals: 3);

        executor.Begin(batch);
        StepOutput output = executor.Complete();

        Assert.Equal(length - 1, batch.PromptLogprobCount(0));
        for (int i = 0; i + 1 < length; i++)
            new LogprobOracle(logits[i]).AssertTold($"position {i + 1}", tokens[i + 1], 3, output.PromptLogprobs(0, i), Tolerance);
    }

    /// <summary>A prompt in parts, beside rows that decode with log-probabilities of their own, and draws at its end.</summary>
    [Fact]
    public void Prompts_InParts_AreToldBesideDraws()
    {
        const int Chunk = 150;
        using CudaExecutor executor = Gpu.Tales("bf16");
        int[] a = Ids(400, 2), b = Ids(333, 3), decoding = Ids(20, 4);
        float[][] ofA = HostLogits(executor, a), ofB = HostLogits(executor, b);
        Session session = new(executor);
        StepBatch batch = session.Batch;
        session.Run(new SessionRow(2, 0, decoding[..^1], 0), new SessionRow(3, 0, decoding[..^1], 0));
        SetSlot(executor, 2, decoding);
        SetSlot(executor, 0, a);
        int last = decoding[^1];
        for (int start = 0, step = 0; start < 400; start += Chunk, step++)
        {
            batch.Clear();
            int device = batch.Add(StepRow.Tokens(2, decoding.Length - 1 + step, 1, 1)), host = batch.Add(StepRow.Tokens(3, decoding.Length - 1 + step, 1, 1));
            batch.RowTokens(device)[0] = batch.RowTokens(host)[0] = last;
            batch.SampleOnDevice[device] = true;
            batch.Logprobs[device] = 7;
            int endA = Math.Min(start + Chunk, a.Length), endB = Math.Min(start + Chunk, b.Length);
            int rowA = Add(batch, 0, start, a[start..endA], endA < a.Length ? a[endA] : -1, rivals: 20, draws: endA == a.Length);
            int rowB = Add(batch, 1, start, b[start..endB], endB < b.Length ? b[endB] : -1, rivals: 0);
            if (endA == a.Length)
            {
                batch.SampleOnDevice[rowA] = true;
                batch.Logprobs[rowA] = 4;
            }

            executor.Begin(batch);
            StepOutput output = executor.Complete();

            last = output.Tokens(device)[0];
            new LogprobOracle(output.Logits(host, 0).ToArray()).AssertTold($"draw of step {step}", last, 7, output.Logprobs(device), Tolerance);
            for (int i = 0; i < batch.PromptLogprobCount(rowA); i++)
                new LogprobOracle(ofA[start + i]).AssertTold($"a at {start + i + 1}", a[start + i + 1], 20, output.PromptLogprobs(rowA, i), Tolerance);
            for (int i = 0; i < batch.PromptLogprobCount(rowB); i++)
                new LogprobOracle(ofB[start + i]).AssertTold($"b at {start + i + 1}", b[start + i + 1], 0, output.PromptLogprobs(rowB, i), Tolerance);
            if (endA == a.Length)
                new LogprobOracle(ofA[^1]).AssertTold("first draw of a", output.Tokens(rowA)[0], 4, output.Logprobs(rowA), Tolerance);
        }
    }

    // Hidden states in bf16 and other kernels of the head: a logit of 15 may be off by some hundredths.
    private const float Tolerance = 0.25f;

    private static int Add(StepBatch batch, int slot, int start, int[] tokens, int next, int rivals, bool draws = false)
    {
        int row = batch.Add(StepRow.Tokens(slot, start, tokens.Length, draws ? 1 : 0));
        tokens.CopyTo(batch.RowTokens(row));
        batch.PromptLogprobs[row] = rivals;
        batch.NextToken[row] = next;
        return row;
    }

    private static void SetSlot(CudaExecutor executor, int slot, int[] tokens) => executor.SetSlot(slot, new DeviceSlot
    {
        Sampler = ArgMaxSampler.Instance,
        Options = SamplingOptions.Greedy,
        Seed = 1,
        Stream = 0,
        Tokens = tokens,
        PromptLength = tokens.Length,
        StopTokens = [],
        MaxLength = 1000,
        Logprobs = LogitStage.Raw,
    });

    // In one step.
    private static float[][] HostLogits(CudaExecutor executor, int[] tokens) =>
        new Session(executor).Run(new SessionRow(0, 0, tokens, tokens.Length))[0];

    private static int[] Ids(int length, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(5, 4000))];
    }
}
