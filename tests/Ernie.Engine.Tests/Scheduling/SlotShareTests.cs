using Ernie.Engine.Tests.Fakes;
using Ernie.Execution;
using Ernie.Generation;

namespace Ernie.Engine.Tests.Scheduling;

/// <summary>While others wait, the sequences of one caller's request get at most half of the slots.</summary>
public sealed class SlotShareTests
{
    private const int Slots = 8;

    private readonly object _group = new();
    private readonly List<int[]> _steps = [];

    [Fact]
    public async Task Admit_ManyChoicesBeforeASmallRequest_LeavesItASlotInTheFirstStep()
    {
        await using Harness harness = Create();
        GenerationRequest small = Small(0);

        await harness.Together([.. Choices(40, maxTokens: 5), small]);

        // Half for the choices, one for the other; from then on nobody else waits.
        Assert.Equal((4, 1), Shares(_steps[0]));
        Assert.Equal((8, 0), _steps.Select(Shares).First(shares => shares.Others == 0));
    }

    [Theory]
    [InlineData(1, 7)]
    [InlineData(3, 5)]
    [InlineData(10, 4)]
    public async Task Preempt_ChoicesInEverySlot_MakeRoomForThoseWhoWaitDownToHalf(int others, int left)
    {
        await using Harness harness = Create();
        Task<List<GenerationEvent>>[] small = [];
        int completed = 0;
        harness.Executor.OnComplete = () =>
        {
            if (++completed == 3)
            {
                small = [.. Enumerable.Range(0, others).Select(i => harness.Run(Small(i)))];
            }
        };
        GenerationRequest[] choices = [.. Choices(20, maxTokens: 60)];

        List<GenerationEvent>[] all = await harness.Together(choices);
        List<GenerationEvent>[] answers = await Task.WhenAll(small);

        Assert.Equal((8, 0), Shares(_steps[2]));
        Assert.Equal((left, Math.Min(others, 8 - left)), _steps.Select(Shares).First(shares => shares.Others > 0));
        Assert.All(_steps.Select(Shares).Where(shares => shares.Others > 0), shares => Assert.True(shares.Group + shares.Others <= Slots));
        Assert.All(answers, (events, i) => Assert.Equal(harness.Expected([.. Small(i).PromptTokens], 4), Harness.TokensOf(events)));
        Assert.All(all, (events, i) => Assert.Equal(harness.Expected([.. choices[i].PromptTokens], 60), Harness.TokensOf(events)));
    }

    [Fact]
    public async Task Preempt_GroupAtExactlyHalf_KeepsItsSlots()
    {
        await using Harness harness = Create();
        GenerationRequest[] requests = [.. Choices(4, maxTokens: 30), .. Enumerable.Range(0, 12).Select(Small)];

        await harness.Together(requests);

        Assert.Equal(0, (await harness.UntilIdle()).Preemptions);
        Assert.Equal((4, 4), Shares(_steps[0]));
    }

    [Fact]
    public async Task Preempt_SequencesByThemselves_KeepTheirSlotsHoweverManyTheyAre()
    {
        await using Harness harness = Create();
        GenerationRequest[] requests = [.. Enumerable.Range(0, 20).Select(Small)];

        await harness.Together(requests);

        Assert.Equal(0, (await harness.UntilIdle()).Preemptions);
        Assert.Equal((0, 8), Shares(_steps[0]));
    }

    [Fact]
    public async Task Admit_OthersOfLowerPriority_DoNotHoldAGroupBack()
    {
        await using Harness harness = Create();

        await harness.Together([.. Choices(20, maxTokens: 5), Small(0) with { Priority = -1 }]);

        Assert.Equal((8, 0), Shares(_steps[0]));
        Assert.Equal(0, (await harness.UntilIdle()).Preemptions);
    }

    [Fact]
    public async Task Admit_OneSlot_IsShared()
    {
        await using Harness harness = Create(slots: 1);

        List<GenerationEvent>[] all = await harness.Together([.. Choices(3, maxTokens: 5), Small(0)]);

        Assert.All(all, events => Assert.Equal(FinishReason.Length, events[^1].FinishReason));
        Assert.Equal(0, (await harness.UntilIdle()).Preemptions);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Preempt_WithStepsQueuedAhead_CompletesThemFirst(int depth)
    {
        await using Harness harness = Create(depth: depth);
        Task<List<GenerationEvent>> small = Task.FromResult(new List<GenerationEvent>());
        int completed = 0;
        harness.Executor.OnComplete = () => small = ++completed == 5 ? harness.Run(Small(0)) : small;
        GenerationRequest[] choices = [.. Choices(8, maxTokens: 60)];

        List<GenerationEvent>[] all = await harness.Together(choices);

        Assert.Equal(harness.Expected([.. Small(0).PromptTokens], 4), Harness.TokensOf(await small));
        Assert.All(all, (events, i) => Assert.Equal(harness.Expected([.. choices[i].PromptTokens], 60), Harness.TokensOf(events)));
        Assert.Equal(1, (await harness.UntilIdle()).Preemptions);
    }

    private Harness Create(int slots = Slots, int depth = 1)
    {
        ExecutorInfo info = FakeExecutor.Limits(sequences: slots, pages: 512, depth: depth);
        var harness = new Harness(info, device: depth > 1);
        harness.Executor.OnBegin = batch => _steps.Add([.. Enumerable.Range(0, batch.RowCount).Select(row => FirstToken(batch, row))]);
        return harness;
    }

    // Prompts of the group begin with token 1 and those of others with token 2; who has a slot is known from the row of its first position.
    private readonly int[] _firstOfSlot = new int[Slots];

    private int FirstToken(StepBatch batch, int row)
    {
        if (batch.Start[row] == 0)
        {
            _firstOfSlot[batch.Slot[row]] = batch.Tokens[batch.TokenOffset[row]];
        }

        return _firstOfSlot[batch.Slot[row]];
    }

    private static (int Group, int Others) Shares(int[] step) => (step.Count(first => first == 1), step.Count(first => first == 2));

    // Shorter than a page, so that nothing is found in the cache and every admission computes its first position.
    private IEnumerable<GenerationRequest> Choices(int count, int maxTokens) =>
        Enumerable.Range(0, count).Select(i => Harness.Greedy([1, i % 50, i / 50], maxTokens) with { Group = _group, ChoiceIndex = i });

    private static GenerationRequest Small(int number) => Harness.Greedy([2, number, 7], 4);
}
