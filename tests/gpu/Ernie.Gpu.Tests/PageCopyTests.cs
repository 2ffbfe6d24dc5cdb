using Ernie.CachePolicies.RadixLru;
using Ernie.Caching;
using Ernie.Cuda;
using Ernie.Engine;
using Ernie.Engine.Settings;
using Ernie.Execution;
using Ernie.Generation;
using Ernie.Kernels;
using Ernie.Samplers.Standard;
using Ernie.Sampling;

namespace Ernie.Gpu.Tests;

/// <summary>Pages that are copied so that a sequence may go on where others read.</summary>
public sealed class PageCopyTests
{
    private const int TokensPerPage = KernelPlan.TokensPerPage, Length = 2 * TokensPerPage;

    [Theory]
    [InlineData(KeyValueFormat.BFloat16)]
    [InlineData(KeyValueFormat.Float8)]
    [InlineData(KeyValueFormat.Integer8)]
    public void Begin_WithCopies_ComputesInTheCopyAlone(KeyValueFormat format)
    {
        using CudaExecutor executor = Gpu.Tales("bf16", options => options.KeyValueFormat = format);
        Session session = new(executor);
        int[] ids = Ids(Length);
        session.Run(new SessionRow(0, 0, ids, 0));
        float[] own = Decode(executor, session, 0, ids[^1]);
        PageId[] pages = [.. session.Batch.PageTable];
        int perSlot = session.Batch.MaxPagesPerSequence;
        // Slots 1 and 2 share the first page; their second is a copy, for slot 2 of the copy.
        session.Batch.PageTable[perSlot] = session.Batch.PageTable[2 * perSlot] = pages[0];

        float[] copied = Decode(executor, session, 1, ids[^1], (pages[1], pages[perSlot + 1]), (pages[perSlot + 1], pages[(2 * perSlot) + 1]));
        float[] other = Decode(executor, session, 1, ids[^1] + 1);
        float[] ofTheCopy = Decode(executor, session, 2, ids[^1]);
        float[] again = Decode(executor, session, 0, ids[^1]);

        Assert.Equal(own, copied);
        Assert.Equal(own, ofTheCopy);
        Assert.Equal(own, again);
        Assert.NotEqual(own, other);
    }

    [Fact]
    public async Task Generate_AWhollyCachedPrompt_ComputesItsLastTokenAlone()
    {
        CudaExecutor executor = Gpu.Tales("bf16", options => options.Samplers = [new StandardSampler()]);
        await using InferenceEngine engine = new(executor, new EngineSettings
        {
            ModelName = "tales",
            Samplers = [new StandardSampler()],
            DefaultSampler = "standard",
            CachePolicy = new RadixLruPolicy(new CachePolicyOptions(executor.Info.PageCount, executor.Info.TokensPerPage)),
        });
        GenerationRequest request = new() { PromptTokens = Ids(Length), MaxTokens = 20, Sampling = SamplingOptions.Greedy };

        List<GenerationEvent> first = await Run(engine, request), second = await Run(engine, request), third = await Run(engine, request);

        Assert.Equal((0, Length - 1, Length - 1), (first[0].CachedTokens, second[0].CachedTokens, third[0].CachedTokens));
        Assert.Equal(second.Select(e => e.Token), third.Select(e => e.Token));
    }

    private static float[] Decode(CudaExecutor executor, Session session, int slot, int token, params ReadOnlySpan<(PageId From, PageId To)> copies)
    {
        StepBatch batch = session.Batch;
        batch.Clear();
        foreach ((PageId from, PageId to) in copies)
            batch.AddCopy(from, to);
        batch.Tokens[batch.TokenOffset[batch.Add(StepRow.Tokens(slot, Length - 1, 1, 1))]] = token;
        executor.Begin(batch);
        return executor.Complete().Logits(0, 0).ToArray();
    }

    private static async Task<List<GenerationEvent>> Run(InferenceEngine engine, GenerationRequest request)
    {
        List<GenerationEvent> events = [];
        await foreach (GenerationEvent e in engine.GenerateAsync(request))
            events.Add(e);
        return events;
    }

    private static int[] Ids(int length)
    {
        Random random = new(20261125);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(100, 4000))];
    }
}
