using Ernie.Caching;
using Ernie.Execution;
using Ernie.Graph;
using Ernie.Testing;
using Ernie.Weights;

namespace Ernie.Cpu.Tests;

/// <summary>An executor with a trivial page allocation: slot s owns the pages from s × pages per sequence on.</summary>
internal sealed class ModelRunner : IDisposable
{
    private readonly Checkpoint _checkpoint;

    internal ModelRunner(ModelGraph graph, Checkpoint checkpoint, CpuOptions options)
    {
        _checkpoint = checkpoint;
        Executor = new CpuExecutor(graph, checkpoint, options);
        Batch = new StepBatch(Executor.Info);
        for (int i = 0; i < Batch.PageTable.Length; i++)
            Batch.PageTable[i] = new PageId(i % Executor.Info.PageCount);
    }

    internal CpuExecutor Executor { get; }

    internal StepBatch Batch { get; }

    internal static CpuOptions SmallOptions { get; } = new() { Threads = 2, MaxSequences = 4, MaxBatchedTokens = 2048, MaxModelLength = 2048 };

    internal static CpuOptions ReferenceOptions { get; } =
        SmallOptions with { ActivationPrecision = ActivationPrecision.Full };

    internal static ModelRunner Tales(CpuOptions options, QuantizationRecipe? recipe = null) =>
        new(DenseModels.Build(DenseModels.Tales, recipe), OpenTales(), options);

    internal static Checkpoint OpenTales() =>
        SafetensorsCheckpoint.Open(Path.Combine(SharedFixtures.RepositoryRoot, "models", "tales", "model.safetensors"));

    /// <summary>Runs one row and returns its last logits.</summary>
    internal Span<float> Run(int slot, int start, ReadOnlySpan<int> tokens, int logitCount = 1)
    {
        Batch.Clear();
        int row = Batch.Add(StepRow.Tokens(slot, start, tokens.Length, logitCount));
        tokens.CopyTo(Batch.Tokens.AsSpan(Batch.TokenOffset[row]));
        return Step().Logits(row, logitCount - 1);
    }

    internal StepOutput Step()
    {
        Executor.Begin(Batch);
        return Executor.Complete();
    }

    internal static int ArgMax(ReadOnlySpan<float> values)
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
        {
            if (values[i] > values[best])
                best = i;
        }

        return best;
    }

    public void Dispose()
    {
        Executor.Dispose();
        _checkpoint.Dispose();
    }
}
