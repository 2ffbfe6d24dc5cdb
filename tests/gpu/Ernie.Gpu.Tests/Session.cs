using Ernie.Caching;
using Ernie.Execution;
using Ernie.Sampling;

namespace Ernie.Gpu.Tests;

/// <summary>Runs batches the way the engine does. Every slot has its own pages, scattered over the pool.</summary>
internal sealed class Session
{
    private readonly IExecutor _executor;

    public Session(IExecutor executor)
    {
        _executor = executor;
        Batch = new StepBatch(executor.Info);
        int perSlot = Math.Min(executor.Info.MaxPagesPerSequence, executor.Info.PageCount / executor.Info.MaxSequences);
        for (int slot = 0; slot < executor.Info.MaxSequences; slot++)
        {
            for (int page = 0; page < perSlot; page++)
                Batch.PageTable[(slot * executor.Info.MaxPagesPerSequence) + page] = new PageId((page * executor.Info.MaxSequences) + (executor.Info.MaxSequences - 1 - slot));
        }
    }

    public StepBatch Batch { get; }

    /// <summary>Runs rows in one step; logits of the last <c>LogitCount</c> tokens of each.</summary>
    public float[][][] Run(params SessionRow[] rows)
    {
        Fill(rows);
        _executor.Begin(Batch);
        StepOutput output = _executor.Complete();
        return [.. rows.Select((row, index) => Enumerable.Range(0, row.LogitCount).Select(i => output.Logits(index, i).ToArray()).ToArray())];
    }

    /// <summary>Runs a sequence in chunks and returns the last token's logits.</summary>
    public float[] Prefill(int slot, ReadOnlySpan<int> tokens, int chunk)
    {
        float[] logits = [];
        for (int start = 0; start < tokens.Length; start += chunk)
        {
            int count = Math.Min(chunk, tokens.Length - start);
            logits = Run(new SessionRow(slot, start, tokens.Slice(start, count).ToArray(), 1))[0][0];
        }

        return logits;
    }

    /// <summary>Prefills each sequence but for its last token, then decodes all together on the device.</summary>
    /// <param name="prompts">The sequences; each has the slot of its index.</param>
    /// <param name="steps">Steps, whether or not sequences end before.</param>
    /// <param name="options">A sequence's request.</param>
    /// <param name="sampler">Draws.</param>
    /// <param name="depth">Steps in flight.</param>
    /// <param name="stops">A sequence's stop tokens; none when not given.</param>
    /// <param name="maxTokens">Tokens after which a sequence ends; the model's length when not given.</param>
    /// <param name="ends">[sequence][step] receives how each row ended.</param>
    /// <returns>[sequence][step] tokens.</returns>
    public int[][] Decode(
        int[][] prompts, int steps, Func<int, SamplingOptions> options, ISampler sampler, int depth = 2,
        Func<int, int[]>? stops = null, Func<int, int>? maxTokens = null, RowEnd[][]? ends = null)
    {
        IDeviceSampling device = _executor.Sampling!; // Executors of these tests draw on their device.
        for (int slot = 0; slot < prompts.Length; slot++)
        {
            SamplingOptions request = options(slot);
            device.SetSlot(slot, new DeviceSlot
            {
                Sampler = sampler,
                Options = request,
                Seed = request.Seed ?? 0,
                Stream = 0,
                Tokens = prompts[slot],
                PromptLength = prompts[slot].Length,
                StopTokens = stops?.Invoke(slot) ?? [],
                MaxLength = maxTokens is null ? _executor.Info.MaxModelLength : prompts[slot].Length + maxTokens(slot),
            });
            if (prompts[slot].Length > 1)
                Run(new SessionRow(slot, 0, prompts[slot][..^1], 0));
        }

        int[][] tokens = [.. prompts.Select(_ => new int[steps])];
        int begun = 0;
        for (int done = 0; done < steps; done++)
        {
            while (begun < steps && begun - done < depth)
            {
                Fill([.. prompts.Select((prompt, slot) => new SessionRow(
                    slot, prompt.Length - 1 + begun, [begun == 0 ? prompt[^1] : StepBatch.TokenOnDevice], 1, OnDevice: true))]);
                _executor.Begin(Batch);
                begun++;
            }

            StepOutput output = _executor.Complete();
            for (int slot = 0; slot < prompts.Length; slot++)
            {
                tokens[slot][done] = output.Tokens(slot) is [int token] ? token : -1;
                if (ends is not null)
                    ends[slot][done] = output.End(slot);
            }
        }

        return tokens;
    }

    private void Fill(SessionRow[] rows)
    {
        Batch.Clear();
        foreach (SessionRow row in rows)
        {
            int index = Batch.Add(StepRow.Tokens(row.Slot, row.Start, row.Tokens.Length, row.LogitCount));
            row.Tokens.CopyTo(Batch.Tokens, Batch.TokenOffset[index]);
            Batch.SampleOnDevice[index] = row.OnDevice;
        }
    }
}
