using System.Globalization;
using Ernie.Cuda.Compilation;
using Ernie.Kernels;

namespace Ernie.Cli.Kernels;

/// <summary>Writes one line per kernel as it becomes ready; called from several threads.</summary>
/// <param name="output">Where to.</param>
/// <param name="architecture">What the kernels are for.</param>
internal sealed class KernelProgress(TextWriter output, GpuArchitecture architecture)
{
    private readonly Lock _gate = new();
    private int _done;

    /// <summary>Kernels that were in the cache.</summary>
    public int Cached { get; private set; }

    /// <summary>Kernels that were compiled.</summary>
    public int Compiled { get; private set; }

    /// <summary>Takes a kernel.</summary>
    public void Report(KernelCompiled kernel)
    {
        lock (_gate)
        {
            _done++;
            Cached += kernel.Cached ? 1 : 0;
            Compiled += kernel.Cached ? 0 : 1;
            string time = kernel.Cached ? "from the cache" : kernel.Elapsed.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture) + " ms";
            output.WriteLine($"{architecture} {_done}/{kernel.Total} {kernel.Kernel}: {time}");
        }
    }
}
