using Ernie.Cuda.Interop;
using Ernie.Cuda.Memory;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>One captured step per batch bucket, replayed without changes; and one more that tells log-probabilities, captured when a step first wants them.</summary>
internal sealed class DecodeGraphs : IDisposable
{
    private readonly ModelRunner _runner;
    private readonly PersistentStep? _persistent;
    private readonly LogProbabilities _logProbabilities;
    private readonly CudaStream _stream;

    // [bucket, and one more for the persistent kernel] graphs without and with log-probabilities.
    private readonly SafeCudaGraphExec?[] _graphs = new SafeCudaGraphExec?[KernelPlan.Buckets.Count + 1];
    private readonly SafeCudaGraphExec?[] _tellingGraphs = new SafeCudaGraphExec?[KernelPlan.Buckets.Count + 1];

    public DecodeGraphs(ModelRunner runner, PersistentStep? persistent, LogProbabilities logProbabilities, CudaStream stream, int maxSequences)
    {
        _runner = runner;
        _persistent = persistent;
        _logProbabilities = logProbabilities;
        _stream = stream;
        // Largest first, so that a device that cannot hold them says so at once.
        for (int index = KernelPlan.Buckets.Count - 1; index >= 0; index--)
        {
            // One bucket above the largest batch holds it.
            if (index == 0 || KernelPlan.Buckets[index - 1] < maxSequences)
                _graphs[index] = Capture(index, tells: false);
        }

        if (persistent is not null)
            _graphs[^1] = Capture(Persistent, tells: false);
    }

    private static int Persistent => KernelPlan.Buckets.Count;

    /// <summary>The graph for a batch.</summary>
    /// <param name="rows">Decoding rows.</param>
    /// <param name="firstRowTokens">Tokens of the first row, the new one included.</param>
    /// <param name="tells">Whether log-probabilities of drawn tokens are wanted.</param>
    /// <returns>Its handle, or 0 when no bucket is large enough.</returns>
    public nint For(int rows, int firstRowTokens, bool tells)
    {
        int index = rows == 1 && _persistent is not null && firstRowTokens <= PersistentKernel.MostTokens ? Persistent : 0;
        while (index < KernelPlan.Buckets.Count && KernelPlan.Buckets[index] < rows)
            index++;
        if (_graphs[index] is not { } graph || (index == Persistent && rows > 1))
            return 0;

        return tells ? (_tellingGraphs[index] ??= Capture(index, tells: true)).Value : graph.Value;
    }

    public void Dispose()
    {
        foreach (SafeCudaGraphExec? graph in (SafeCudaGraphExec?[])[.. _graphs, .. _tellingGraphs])
            graph?.Dispose();
    }

    private SafeCudaGraphExec Capture(int index, bool tells)
    {
        Interop.Cuda.Check(Interop.Cuda.cuStreamBeginCapture(_stream.Handle, Interop.Cuda.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        Queue(index, tells);
        Interop.Cuda.Check(Interop.Cuda.cuStreamEndCapture(_stream.Handle, out SafeCudaGraph graph));
        using (graph)
        {
            Interop.Cuda.Check(Interop.Cuda.cuGraphInstantiate(out SafeCudaGraphExec exec, graph, 0));
            Interop.Cuda.Check(Interop.Cuda.cuGraphUpload(exec, _stream.Handle));
            return exec;
        }
    }

    private void Queue(int index, bool tells)
    {
        int rows = index == Persistent ? 1 : KernelPlan.Buckets[index];
        if (index == Persistent)
            _runner.RunPersistent(_persistent!); // Its graphs are only captured where there is one.
        else
            _runner.Run(new StepShape { Tokens = rows, LogitRows = rows, DecodeRows = rows });
        if (tells)
            _logProbabilities.QueueDrawn(rows);
    }
}
