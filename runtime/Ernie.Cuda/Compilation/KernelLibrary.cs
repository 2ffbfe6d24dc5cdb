using Ernie.Cuda.Nvrtc;
using Ernie.Kernels;

namespace Ernie.Cuda.Compilation;

/// <summary>All kernels of a plan, loaded.</summary>
internal sealed class KernelLibrary : IDisposable
{
    private readonly Dictionary<KernelSpec, CudaKernel> _kernels = [];

    public KernelLibrary(KernelPlan plan, KernelCompiler compiler, Action<KernelCompiled>? progress)
    {
        foreach ((KernelSpec specification, CompiledKernel kernel) in compiler.Compile(plan.Kernels, plan.Device.Architecture, progress))
            _kernels.Add(specification, CudaKernel.Load(specification, kernel.Cubin.Span));
    }

    public CudaKernel this[KernelSpec specification] => _kernels[specification];

    public IReadOnlyCollection<CudaKernel> Kernels => _kernels.Values;

    public void Dispose()
    {
        foreach (CudaKernel kernel in _kernels.Values)
            kernel.Dispose();
    }
}
