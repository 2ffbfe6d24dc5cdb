using Ernie.Cuda;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Nvrtc;
using Ernie.Kernels;
using Ernie.Sampling;

namespace Ernie.Hosting.Plugins;

/// <summary>Compiles the device forms of samplers before an engine is built with them, so that a broken one costs its plugin and nothing else.</summary>
public static class DeviceFormCheck
{
    /// <summary>Finds the samplers whose device form does not compile.</summary>
    /// <param name="samplers">Samplers; those without a device form are passed over.</param>
    /// <param name="architecture">For which GPU.</param>
    /// <param name="vocabularySize">Logits of a row: the model's, so that the kernel that is compiled is the one its steps use.</param>
    /// <param name="cache">Where compiled kernels are kept; null is the user's cache.</param>
    /// <returns>Each broken sampler with what is wrong; null when nothing could be compiled, for want of NVRTC.</returns>
    public static IReadOnlyList<(ISampler Sampler, PluginDiagnostic Diagnostic)>? Find(
        IReadOnlyList<ISampler> samplers, GpuArchitecture architecture, int vocabularySize = SamplerKernel.TinyVocabulary, CubinCache? cache = null)
    {
        ArgumentNullException.ThrowIfNull(samplers);
        var compiler = new KernelCompiler(cache ?? CubinCache.Default(), NvrtcCompiler.TryCreate());
        ISampler[] withForm = [.. samplers.Where(sampler => sampler.Device is not null)];
        try
        {
            // All at once: the usual case is that nothing is wrong, and the kernel is needed anyway.
            if (Compile(compiler, withForm, architecture, vocabularySize) is null)
            {
                return [];
            }

            return
            [
                .. withForm
                    .AsParallel().AsOrdered()
                    .Select(sampler => (Sampler: sampler, Failure: Compile(compiler, [sampler], architecture, SamplerKernel.TinyVocabulary)))
                    .Where(pair => pair.Failure is not null)
                    .Select(pair => (pair.Sampler, Describe(pair.Sampler, pair.Failure!))), // filtered above
            ];
        }
        catch (CudaUnavailableException)
        {
            return null;
        }
    }

    private static KernelCompileException? Compile(KernelCompiler compiler, ISampler[] samplers, GpuArchitecture architecture, int vocabularySize)
    {
        try
        {
            compiler.Compile([SamplerKernel.Create("sample", vocabularySize, samplers)], architecture);
            return null;
        }
        catch (KernelCompileException e)
        {
            return e;
        }
    }

    private static PluginDiagnostic Describe(ISampler sampler, KernelCompileException failure) => new(
        PluginDiagnostic.DeviceForm,
        sampler.Device?.Path ?? sampler.Name,
        $"The device form of sampler '{sampler.Name}' does not compile:{Environment.NewLine}{failure.Log.Trim()}");
}
