using Ernie.Cuda.Compilation;
using Ernie.Cuda.Nvrtc;
using Ernie.Kernels;
using Ernie.Testing.Gpu;

namespace Ernie.Cuda.Tests;

public sealed class CubinCacheTests : IDisposable
{
    private static readonly GpuArchitecture s_architecture = GpuArchitecture.Parse("sm_80");

    private readonly string _folder = Directory.CreateTempSubdirectory("ernie-cubins-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void TryRead_WhatWasWritten_IsTheSame()
    {
        CubinCache cache = new(_folder);

        cache.Write("key", Kernel(1, 1000));

        CompiledKernel? read = new CubinCache(_folder).TryRead("key");
        Assert.NotNull(read);
        Assert.Equal((32, 8), (read.Registers, read.LocalBytes));
        Assert.Equal(Kernel(1, 1000).Cubin.ToArray(), read.Cubin.ToArray());
    }

    [Fact]
    public void TryRead_AnAbsentKey_IsNull() => Assert.Null(new CubinCache(_folder).TryRead("none"));

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(48)]
    [InlineData(1047)]
    public void TryRead_AFileCutShort_IsNull(int length)
    {
        CubinCache cache = new(_folder);
        cache.Write("key", Kernel(1, 1000));
        string file = Directory.GetFiles(_folder).Single();

        File.WriteAllBytes(file, File.ReadAllBytes(file)[..length]);

        Assert.Null(cache.TryRead("key"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(41)]
    [InlineData(500)]
    public void TryRead_AFileWithOneBitChanged_IsNull(int offset)
    {
        CubinCache cache = new(_folder);
        cache.Write("key", Kernel(1, 1000));
        string file = Directory.GetFiles(_folder).Single();
        byte[] bytes = File.ReadAllBytes(file);

        bytes[offset] ^= 1;
        File.WriteAllBytes(file, bytes);

        Assert.Null(cache.TryRead("key"));
    }

    [Fact]
    public void Write_ToAFolderThatCannotBe_IsCountedAndHarmless()
    {
        string file = Path.Combine(_folder, "occupied");
        File.WriteAllText(file, "");
        CubinCache cache = new(Path.Combine(file, "cubins"));

        cache.Write("key", Kernel(1, 10));

        Assert.Equal(1, cache.FailedWrites);
        Assert.Null(cache.TryRead("key"));
    }

    [Fact]
    public void Write_FromManyThreadsAtOnce_LeavesWholeFilesOnly()
    {
        CubinCache cache = new(_folder);

        Parallel.For(0, 64, index => cache.Write("key" + (index % 4), Kernel(index % 4, 20_000)));

        Assert.Equal(0, cache.FailedWrites);
        Assert.Equal(4, Directory.GetFiles(_folder).Length);
        for (int key = 0; key < 4; key++)
            Assert.Equal(Kernel(key, 20_000).Cubin.ToArray(), cache.TryRead("key" + key)?.Cubin.ToArray());
    }

    [Fact]
    public void Key_ChangesWithTextVersionAndArchitecture()
    {
        KernelPlan plan = KernelPlanner.Create(
            DenseGraphs.Create(DenseGraphs.Tales, DenseGraphs.Recipes["bf16"]), DeviceProfile.Typical(s_architecture));
        KernelSource embed = KernelSource.Create(plan.Embed), norm = KernelSource.Create(plan.Normalize);
        string key = CubinCache.Key(embed, s_architecture, "13.0");

        Assert.Equal(key, CubinCache.Key(KernelSource.Create(plan.Embed), s_architecture, "13.0"));
        Assert.NotEqual(key, CubinCache.Key(norm, s_architecture, "13.0"));
        Assert.NotEqual(key, CubinCache.Key(embed, s_architecture, "12.9"));
        Assert.NotEqual(key, CubinCache.Key(embed, GpuArchitecture.Parse("sm_86"), "13.0"));
    }

    [Fact]
    public void Compile_WithoutCompilerAndCache_SaysWhatToInstall()
    {
        KernelPlan plan = KernelPlanner.Create(
            DenseGraphs.Create(DenseGraphs.Tales, DenseGraphs.Recipes["bf16"]), DeviceProfile.Typical(s_architecture));
        KernelCompiler compiler = new(new CubinCache(_folder), compiler: null);

        CudaUnavailableException exception = Assert.Throws<CudaUnavailableException>(() => compiler.Compile([plan.Embed], s_architecture));

        Assert.Equal(CudaDiagnostics.NoCompiler, exception.DiagnosticId);
        Assert.Contains("ERNIE_NVRTC", exception.Message, StringComparison.Ordinal);
        Assert.Contains(plan.Embed.Name, exception.Message, StringComparison.Ordinal);
    }

    private static CompiledKernel Kernel(int seed, int byteCount)
    {
        byte[] cubin = new byte[byteCount];
        new Random(seed).NextBytes(cubin);
        return new CompiledKernel(cubin, 32, 8);
    }
}
