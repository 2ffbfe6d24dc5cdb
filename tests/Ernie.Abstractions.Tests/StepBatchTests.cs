using Ernie.Execution;

namespace Ernie.Abstractions.Tests;

/// <summary>What rows a step may have, and what a batch says of them.</summary>
public sealed class StepBatchTests
{
    private static readonly ExecutorInfo s_info = new()
    {
        Device = "none",
        VocabularySize = 8,
        PageCount = 8,
        TokensPerPage = 4,
        MaxSequences = 4,
        MaxBatchedTokens = 32,
        MaxModelLength = 16,
        HiddenSize = 2,
    };

    [Theory]
    [InlineData(1, 1, StepRowKind.Decode)]
    [InlineData(1, 0, StepRowKind.Prompt)]
    [InlineData(2, 1, StepRowKind.Prompt)]
    [InlineData(2, 2, StepRowKind.Prompt)]
    public void Tokens_OneWithItsLogits_IsADecodeRow(int count, int logitCount, StepRowKind kind) =>
        Assert.Equal(kind, StepRow.Tokens(0, 5, count, logitCount).Kind);

    [Fact]
    public void Verify_Drafts_AreComputedWithTheLatestTokenAndGiveLogitsEach()
    {
        StepRow row = StepRow.Verify(2, 7, draftCount: 3);

        Assert.Equal((StepRowKind.Verify, 2, 7, 4, 4), (row.Kind, row.Slot, row.Start, row.Count, row.LogitCount));
        Assert.Throws<ArgumentOutOfRangeException>(() => StepRow.Verify(2, 7, draftCount: 0));
    }

    [Fact]
    public void Pool_Tokens_GiveNoLogits()
    {
        StepRow row = StepRow.Pool(1, 0, 1);

        Assert.Equal((StepRowKind.Pool, 1, 0), (row.Kind, row.Count, row.LogitCount));
    }

    [Theory]
    [InlineData(-1, 1, 1)]
    [InlineData(0, 0, 0)]
    [InlineData(0, 2, 3)]
    [InlineData(0, 2, -1)]
    public void Tokens_WhatNoRowCanBe_IsRefused(int start, int count, int logitCount) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => StepRow.Tokens(0, start, count, logitCount));

    [Fact]
    public void IsDecode_HoldsWhileEveryRowDecodes()
    {
        var batch = new StepBatch(s_info);
        batch.Add(StepRow.Tokens(0, 3, 1, 1));
        batch.Add(StepRow.Tokens(1, 3, 1, 1));
        Assert.Equal((2, true), (batch.DecodeRows, batch.IsDecode));

        batch.Add(StepRow.Verify(2, 3, 1));
        batch.Add(StepRow.Tokens(3, 3, 1, 1));

        // A decode row behind another kind is not one of the first rows.
        Assert.Equal((2, false), (batch.DecodeRows, batch.IsDecode));
        batch.Clear();
        batch.Add(StepRow.Pool(0, 0, 1));
        Assert.Equal((0, false), (batch.DecodeRows, batch.IsDecode));
    }

    [Fact]
    public void RowTokens_OfEachRow_LieOneAfterTheOther()
    {
        var batch = new StepBatch(s_info);
        int first = batch.Add(StepRow.Tokens(0, 0, 3, 1)), second = batch.Add(StepRow.Verify(1, 3, 1));

        batch.RowTokens(first).Fill(1);
        batch.RowTokens(second).Fill(2);

        Assert.Equal([1, 1, 1, 2, 2], batch.Tokens[..batch.TokenCount]);
        Assert.False(batch.SampleOnDevice[second]);
    }
}
