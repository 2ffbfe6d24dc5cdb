using Ernie.Cuda;
using Ernie.Cuda.Compilation;
using Ernie.Kernels;

namespace Ernie.Gpu.Tests;

/// <summary><c>inspect plan</c> lists launches that nobody ran: here a step is run, and must be what is listed.</summary>
public sealed class StepListingTests
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

        AssertListed(StepListing.Decode(executor.Plan, rows, 101), launched);
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

        AssertListed(StepListing.Prefill(executor.Plan, tokens), launched);
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

    private static void AssertListed(IReadOnlyList<StepLaunch> listed, IReadOnlyList<KernelSpec> launched) => Assert.Equal(
        listed.Select(step => step.Launch.Kernel.Name), launched.Select(kernel => kernel.Name));
}
