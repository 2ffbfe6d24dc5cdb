using System.Diagnostics;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Nvrtc;
using Ernie.Kernels;
using Ernie.Testing.Gpu;

namespace Ernie.Cuda.Tests;

public sealed class CubinCacheTests : IDisposable
{
    private static readonly GpuArchitecture s_architecture = GpuArchitecture.Parse("sm_80");

    private const string WriterFolder = "ERNIE_TEST_CUBIN_WRITER";
    private const int KeysOfAWriter = 4;

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

    [Theory]
    [InlineData("occupied/cubins")]
    [InlineData("/proc/ernie-cubins")]
    public void Write_ToAFolderThatCannotBe_IsCountedAndHarmless(string folder)
    {
        File.WriteAllText(Path.Combine(_folder, "occupied"), "");
        CubinCache cache = new(Path.Combine(_folder, folder));

        cache.Write("key", Kernel(1, 10));

        Assert.Equal(1, cache.FailedWrites);
        Assert.NotNull(cache.WriteFailure);
        Assert.Null(cache.TryRead("key"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    [InlineData(1000)]
    [InlineData(1048)]
    public void Write_ToADiskThatFillsUp_LeavesNothingBehind(int bytesThatFit)
    {
        CubinCache cache = new(_folder)
        {
            WriteThrough = (path, bytes) =>
            {
                File.WriteAllBytes(path, bytes[..bytesThatFit]);
                throw new IOException("No space left on device");
            },
        };

        cache.Write("key", Kernel(1, 1000));

        Assert.Equal((1, "No space left on device"), (cache.FailedWrites, cache.WriteFailure));
        Assert.Null(cache.TryRead("key"));
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Write_ToADiskThatFillsUp_KeepsWhatWasThere()
    {
        new CubinCache(_folder).Write("key", Kernel(1, 1000));
        CubinCache full = new(_folder) { WriteThrough = (_, _) => throw new IOException("No space left on device") };

        full.Write("key", Kernel(2, 1000));

        Assert.Equal(Kernel(1, 1000).Cubin.ToArray(), full.TryRead("key")?.Cubin.ToArray());
    }

    [Fact]
    public void Write_ToTheKernelsOwnFullDevice_CountsTheSystemsError()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "This system has no /dev/full.");
        CubinCache cache = new(_folder)
        {
            WriteThrough = (_, bytes) =>
            {
                using FileStream full = new("/dev/full", FileMode.Open, FileAccess.Write);
                full.Write(bytes);
            },
        };

        cache.Write("key", Kernel(1, 1000));

        Assert.Equal(1, cache.FailedWrites);
        Assert.Contains("No space left", cache.WriteFailure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_FromSeveralProcessesAtOnce_LeavesWholeFilesOnly()
    {
        Process[] writers = [.. Enumerable.Range(0, 3).Select(_ => StartWriter(_folder))];
        CubinCache cache = new(_folder);
        int found = 0;
        while (writers.Any(writer => !writer.HasExited))
        {
            // What is there at all is there whole, also while others write.
            int key = found % KeysOfAWriter;
            if (File.Exists(Path.Combine(_folder, $"key{key}.cubin")))
                Assert.Equal(Kernel(key, 20_000).Cubin.ToArray(), cache.TryRead("key" + key)?.Cubin.ToArray());
            found++;
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        Assert.All(writers, writer => Assert.Equal(0, writer.ExitCode));
        Assert.Equal(KeysOfAWriter, Directory.GetFiles(_folder).Length);
        for (int key = 0; key < KeysOfAWriter; key++)
            Assert.Equal(Kernel(key, 20_000).Cubin.ToArray(), cache.TryRead("key" + key)?.Cubin.ToArray());
    }

    /// <summary>What each process of <see cref="Write_FromSeveralProcessesAtOnce_LeavesWholeFilesOnly"/> runs.</summary>
    [Fact(Explicit = true)]
    public void Writer()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable(WriterFolder) is { Length: > 0 }, "Runs in processes that another test starts.");
        CubinCache cache = new(Environment.GetEnvironmentVariable(WriterFolder)!); // Checked above.
        for (int write = 0; write < 10 * KeysOfAWriter; write++)
            cache.Write("key" + (write % KeysOfAWriter), Kernel(write % KeysOfAWriter, 20_000));

        Assert.Equal(0, cache.FailedWrites);
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

    private static Process StartWriter(string folder)
    {
        ProcessStartInfo start = new(
            Environment.ProcessPath!, // A running process has a path.
            [
                .. Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? (string[])[typeof(CubinCacheTests).Assembly.Location] : [],
                "-explicit", "only", "-method", $"{typeof(CubinCacheTests).FullName}.{nameof(Writer)}", "-noLogo",
            ])
        {
            RedirectStandardOutput = true,
        };
        start.Environment[WriterFolder] = folder;
        Process process = Process.Start(start)!; // Not shell-executed: never null.
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }

    private static CompiledKernel Kernel(int seed, int byteCount)
    {
        byte[] cubin = new byte[byteCount];
        new Random(seed).NextBytes(cubin);
        return new CompiledKernel(cubin, 32, 8);
    }
}
