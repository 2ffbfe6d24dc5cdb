using Ernie.Cuda;
using Ernie.Cuda.Compilation;
using Ernie.Kernels;

namespace Ernie.Gpu.Tests;

/// <summary><c>inspect plan</c> lists launches that nobody ran: here a step is run, and must be what is listed.</summary>
public sealed class PlannedStepsTests
{
    // Either side of the tokens that decode kernels take. One sequence may go through another kernel.
    [Theory]
    [InlineData("wint4", KeyValueFormat.BFloat16, 2)]
    [InlineData("bf16", KeyValueFormat.Float8, 8)]
    [InlineData("wint8", KeyValueFormat.BFloat16, 9)]
    [InlineData("bf16", KeyValueFormat.Integer8, 16)]
    public void Decode_ListsTheKernelsOfAStepInOrder(string quantization, KeyValueFormat cache, int rows)
    {
        using CudaExecutor executor = Create(quantization, cache);
        Session session = new(executor);

        List<KernelSpec> launched = Record(executor, () =>
            session.Run([.. Enumerable.Range(0, rows).Select(slot => new SessionRow(slot, 100, [300 + slot], 1))]));

        AssertListed(PlannedSteps.Decode(executor.Plan, rows, 101), launched);
    }

    [Theory]
    [InlineData("wint4", KeyValueFormat.BFloat16, 5)]
    [InlineData("bf16", KeyValueFormat.Float8, 200)]
    [InlineData("fp8", KeyValueFormat.BFloat16, 700)]
    public void Prefill_ListsTheKernelsOfAStepInOrder(string quantization, KeyValueFormat cache, int tokens)
    {
        using CudaExecutor executor = Create(quantization, cache);
        Session session = new(executor);

        List<KernelSpec> launched = Record(executor, () =>
            session.Run(new SessionRow(0, 0, [.. Enumerable.Range(300, tokens)], 1)));

        AssertListed(PlannedSteps.Prefill(executor.Plan, tokens), launched);
    }

    private static CudaExecutor Create(string quantization, KeyValueFormat cache)
    {
        CudaExecutor executor = Gpu.Tales(quantization, options =>
        {
            options.MaxSequences = 16;
            options.KeyValueFormat = cache;
        });
        executor.RunsGraphs = false;
        return executor;
    }

    private static List<KernelSpec> Record(CudaExecutor executor, Action step)
    {
        List<KernelSpec> launched = [];
        // Other classes' tests run beside these, on threads of their own.
        int thread = Environment.CurrentManagedThreadId;
        CudaKernel.Launched = (kernel, _) =>
        {
            if (Environment.CurrentManagedThreadId == thread)
                launched.Add(kernel);
        };
        try
        {
            step();
        }
        finally
        {
            CudaKernel.Launched = null;
        }

        Assert.NotEmpty(launched);
        return launched;
    }

    // Kernels in the order of their first launch, with the launches of all layers.
    private static void AssertListed(IReadOnlyList<PlannedLaunch> listed, IReadOnlyList<KernelSpec> launched) => Assert.Equal(
        listed.GroupBy(launch => launch.Kernel.Name).Select(group => (group.Key, group.Sum(launch => launch.Count))),
        launched.GroupBy(kernel => kernel.Name).Select(group => (group.Key, group.Count())));
}
