using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>The launches of steps of some sizes, ready to be queued.</summary>
/// <param name="MostRows">Most tokens of a step, or rows of logits.</param>
/// <param name="Launches">In order.</param>
internal sealed record BoundRange(int MostRows, BoundLaunch[] Launches)
{
    /// <summary>Queues those of the range that serves the rows.</summary>
    /// <param name="ranges">Ascending, the last without a limit.</param>
    /// <param name="rows">Rows for which the range is chosen.</param>
    /// <param name="counts">The step.</param>
    /// <param name="addresses">The step's addresses.</param>
    /// <param name="stream">Where to.</param>
    public static void Queue(BoundRange[] ranges, int rows, in StepCounts counts, in StepAddresses addresses, nint stream)
    {
        int index = 0;
        while (rows > ranges[index].MostRows)
            index++;
        foreach (BoundLaunch launch in ranges[index].Launches)
            launch.Queue(counts, addresses, stream);
    }
}
