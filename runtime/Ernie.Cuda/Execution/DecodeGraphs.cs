using Ernie.Cuda.Interop;
using Ernie.Cuda.Memory;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>One captured step per batch bucket, replayed without changes.</summary>
internal sealed class DecodeGraphs : IDisposable
{
    private readonly SafeCudaGraphExec?[] _graphs = new SafeCudaGraphExec?[KernelPlan.Buckets.Count];
    private readonly SafeCudaGraphExec? _persistentGraph;

    public DecodeGraphs(ModelRunner runner, PersistentStep? persistent, CudaStream stream, int maxSequences)
    {
        // Largest first, so that a device that cannot hold them says so at once.
        for (int index = KernelPlan.Buckets.Count - 1; index >= 0; index--)
        {
            // One bucket above the largest batch holds it.
            if (index > 0 && KernelPlan.Buckets[index - 1] >= maxSequences)
                continue;

            int bucket = KernelPlan.Buckets[index];
            _graphs[index] = Capture(stream, () => runner.Run(new StepShape { Tokens = bucket, LogitRows = bucket, DecodeRows = bucket }));
        }

        if (persistent is not null)
            _persistentGraph = Capture(stream, () => runner.RunPersistent(persistent));
    }

    /// <summary>The graph for a batch.</summary>
    /// <param name="rows">Decoding rows.</param>
    /// <param name="firstRowTokens">Tokens of the first row, the new one included.</param>
    /// <returns>Its handle, or 0 when no bucket is large enough.</returns>
    public nint For(int rows, int firstRowTokens)
    {
        if (rows == 1 && _persistentGraph is { } alone && firstRowTokens <= PersistentKernel.MostTokens)
            return alone.Value;

        for (int index = 0; index < _graphs.Length; index++)
        {
            if (KernelPlan.Buckets[index] >= rows)
                return _graphs[index]?.Value ?? 0;
        }

        return 0;
    }

    public void Dispose()
    {
        _persistentGraph?.Dispose();
        foreach (SafeCudaGraphExec? graph in _graphs)
            graph?.Dispose();
    }

    private static SafeCudaGraphExec Capture(CudaStream stream, Action queue)
    {
        Interop.Cuda.Check(Interop.Cuda.cuStreamBeginCapture(stream.Handle, Interop.Cuda.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        queue();
        Interop.Cuda.Check(Interop.Cuda.cuStreamEndCapture(stream.Handle, out SafeCudaGraph graph));
        using (graph)
        {
            Interop.Cuda.Check(Interop.Cuda.cuGraphInstantiate(out SafeCudaGraphExec exec, graph, 0));
            Interop.Cuda.Check(Interop.Cuda.cuGraphUpload(exec, stream.Handle));
            return exec;
        }
    }
}
