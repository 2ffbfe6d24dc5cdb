using System.Globalization;
using System.Runtime.CompilerServices;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Execution;
using Ernie.Cuda.Nvrtc;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Testing.Gpu;
using Ernie.Testing.Samplers;

namespace Ernie.Cuda.Tests;

public sealed class KernelCompilationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ernie-cubins-").FullName;

    /// <summary>Every compiled-in dense model on every tested architecture.</summary>
    public static TheoryData<string, string> Targets => new(
        from model in (string[])["tales", "ernie-4.5-0.3b"]
        from architecture in GpuArchitecture.Tested
        select (model, architecture.Name));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // Plans of several quantisations share the kernels that read no weights: together they are a third fewer than one by one.
    [Theory]
    [MemberData(nameof(Targets))]
    public void Compile_EveryQuantisation_SpillsNothing(string model, string architectureName)
    {
        NvrtcCompiler nvrtc = NvrtcForTests.Require();
        GpuArchitecture architecture = GpuArchitecture.Parse(architectureName);
        ModelShape shape = model == "tales" ? DenseGraphs.Tales : DenseGraphs.Base;
        KernelSpec[] specifications =
        [
            .. Recipes.SelectMany(recipe => KernelPlanner.Create(DenseGraphs.Create(shape, recipe), DeviceProfile.Typical(architecture)).Kernels)
                .Concat(Enum.GetValues<KeyValueFormat>().SelectMany(format => AttentionKernels.Create(shape, DeviceProfile.Typical(architecture), format).Kernels))
                .Distinct(),
        ];

        if (Environment.GetEnvironmentVariable("ERNIE_COMPILE_ALL") == "1")
        {
            specifications =
            [
                .. Recipes.SelectMany(recipe => KernelPlanner.Create(
                    DenseGraphs.Create(shape, recipe), DeviceProfile.Typical(architecture), null, keepsBf16Copies: false).Kernels).Concat(specifications).Distinct(),
            ];
        }

        IReadOnlyDictionary<KernelSpec, CompiledKernel> kernels = new KernelCompiler(TestCubins.Cache, nvrtc).Compile(specifications, architecture);

        Assert.Equal(specifications.Length, kernels.Count);
        AssertFit(kernels, architecture);
    }

    /// <summary>The persistent kernel by itself: it is long, and its author wants to know soon.</summary>
    [Theory]
    [InlineData("tales", false)]
    [InlineData("ernie-4.5-0.3b", false)]
    [InlineData("ernie-4.5-0.3b", true)]
    public void Compile_PersistentKernel_SpillsNothing(string model, bool traces)
    {
        NvrtcCompiler nvrtc = NvrtcForTests.Require();
        GpuArchitecture architecture = GpuArchitecture.Parse("sm_90a");
        ModelShape shape = model == "tales" ? DenseGraphs.Tales : DenseGraphs.Base;
        KernelSpec[] specifications =
        [
            .. from recipe in Recipes
               let plan = KernelPlanner.Create(
                   DenseGraphs.Create(shape, recipe), DeviceProfile.Typical(architecture), persistent: new PersistentTuning { Traces = traces })
               select plan.Persistent!.Kernel, // The test fails without.
        ];

        IReadOnlyDictionary<KernelSpec, CompiledKernel> kernels = new KernelCompiler(TestCubins.Cache, nvrtc).Compile(specifications, architecture);

        // Reading the clock may cost a few registers more than there are.
        AssertFit(kernels, architecture, spilledBytes: traces ? 64 : 0);
    }

    private static void AssertFit(IReadOnlyDictionary<KernelSpec, CompiledKernel> kernels, GpuArchitecture architecture, int spilledBytes = 0)
    {
        foreach ((KernelSpec specification, CompiledKernel kernel) in kernels)
        {
            Assert.True(kernel.LocalBytes <= spilledBytes, $"{specification.Name} spills {kernel.LocalBytes} bytes with {kernel.Registers} registers");
            Assert.InRange(kernel.Registers, 1, 255);
            Assert.Equal("\u007FELF", System.Text.Encoding.Latin1.GetString(kernel.Cubin.Span[..4]));
            long shared = CubinImage.StaticSharedBytes(kernel.Cubin.Span, specification.Name) + specification.SharedMemoryBytes;
            Assert.True(shared <= architecture.SharedMemoryPerBlock, $"{specification.Name} takes {shared} bytes of shared memory");
        }
    }

    // The quantisations that users name; ERNIE_COMPILE_ALL=1 adds their variants.
    private static IEnumerable<QuantizationRecipe> Recipes => Environment.GetEnvironmentVariable("ERNIE_COMPILE_ALL") != "1"
        ? DenseGraphs.Recipes.Values
        : DenseGraphs.Recipes.Values.Concat(
        [
            new(WeightEncoding.Int4Group(64), WeightEncoding.Int8PerChannel), new(WeightEncoding.Int4PerChannel, WeightEncoding.Int4PerChannel),
            new(WeightEncoding.Int4Group(128), WeightEncoding.Int4Group(128)), new(WeightEncoding.Fp8Block128, WeightEncoding.Int8PerChannel),
            new(WeightEncoding.Int8PerChannel, WeightEncoding.Bf16),
        ]);

    [Theory]
    [InlineData("sm_80")]
    [InlineData("sm_90a")]
    public void StaticSharedBytes_OfACompiledKernel_AreWhatItDeclares(string architecture)
    {
        NvrtcCompiler nvrtc = NvrtcForTests.Require();
        KernelSpec kernel = Sharing(1234);

        CompiledKernel compiled = nvrtc.Compile(KernelSource.Create(kernel), GpuArchitecture.Parse(architecture));

        Assert.Equal(4 * 1234, CubinImage.StaticSharedBytes(compiled.Cubin.Span, kernel.Name));
        Assert.Equal(0, CubinImage.StaticSharedBytes(compiled.Cubin.Span, "another"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(500)]
    public void StaticSharedBytes_OfAFileCutShort_IsRefused(int length)
    {
        NvrtcCompiler nvrtc = NvrtcForTests.Require();
        CompiledKernel compiled = nvrtc.Compile(KernelSource.Create(Sharing(1)), GpuArchitecture.Parse("sm_80"));

        InvalidDataException exception = Assert.Throws<InvalidDataException>(
            () => CubinImage.StaticSharedBytes(compiled.Cubin.Span[..length], "sharing"));

        Assert.Contains($"{length} bytes", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Compile_OverADamagedEntry_ReplacesIt()
    {
        NvrtcCompiler nvrtc = NvrtcForTests.Require();
        GpuArchitecture architecture = GpuArchitecture.Parse("sm_80");
        KernelSpec kernel = Sharing(7);
        KernelCompiler compiler = new(new CubinCache(_folder), nvrtc);
        compiler.Compile([kernel], architecture);
        string file = Directory.GetFiles(_folder).Single();
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..100]);
        List<bool> cached = [];

        compiler.Compile([kernel], architecture, ready => cached.Add(ready.Cached));
        compiler.Compile([kernel], architecture, ready => cached.Add(ready.Cached));

        Assert.Equal([false, true], cached);
    }

    [Fact]
    public void Compile_WithAFullDisk_GivesTheKernelAllTheSame()
    {
        NvrtcCompiler nvrtc = NvrtcForTests.Require();
        CubinCache full = new(_folder) { WriteThrough = (_, _) => throw new IOException("No space left on device") };
        KernelSpec kernel = Sharing(7);

        IReadOnlyDictionary<KernelSpec, CompiledKernel> kernels = new KernelCompiler(full, nvrtc).Compile([kernel], GpuArchitecture.Parse("sm_80"));

        Assert.True(kernels[kernel].Cubin.Length > 0);
        Assert.Equal(1, full.FailedWrites);
    }

    [Fact]
    public void Compile_WithoutACompiler_TakesWhatAnEarlierOneCached()
    {
        NvrtcCompiler nvrtc = NvrtcForTests.Require();
        GpuArchitecture architecture = GpuArchitecture.Parse("sm_80");
        KernelSpec kernel = Sharing(7);
        CompiledKernel compiled = new KernelCompiler(new CubinCache(_folder), nvrtc).Compile([kernel], architecture)[kernel];

        CompiledKernel found = new KernelCompiler(new CubinCache(_folder), compiler: null).Compile([kernel], architecture)[kernel];

        Assert.Equal(compiled.Cubin.ToArray(), found.Cubin.ToArray());
        Assert.Equal((compiled.Registers, compiled.LocalBytes), (found.Registers, found.LocalBytes));
    }

    /// <summary>Every shipped sampler's device form, together as a step has them, and the standard one alone, over the vocabulary of ERNIE 4.5.</summary>
    [Theory]
    [InlineData("sm_80")]
    [InlineData("sm_86")]
    [InlineData("sm_89")]
    [InlineData("sm_90a")]
    public void Compile_ShippedSamplers_SpillNothing(string architectureName)
    {
        NvrtcCompiler nvrtc = NvrtcForTests.Require();
        GpuArchitecture architecture = GpuArchitecture.Parse(architectureName);
        KernelSpec together = SamplerKernel.Create("sample", DenseGraphs.Base.VocabularySize, ShippedDeviceForms.All);
        KernelSpec standard = SamplerKernel.Create("sample_standard", DenseGraphs.Base.VocabularySize, [ShippedDeviceForms.Named("standard")]);

        IReadOnlyDictionary<KernelSpec, CompiledKernel> kernels = new KernelCompiler(TestCubins.Cache, nvrtc).Compile([together, standard], architecture);

        Assert.All(kernels, pair => Assert.True(pair.Value.LocalBytes == 0, $"{pair.Key.Name} spills {pair.Value.LocalBytes} bytes with {pair.Value.Registers} registers"));
        Assert.All(kernels.Values, kernel => Assert.InRange(kernel.Registers, 1, 64)); // 1,024 threads share 65,536
    }

    /// <summary>Vocabularies of one block and of several, whose last vectors are whole or not.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void Compile_LogProbabilities_SpillNothing(string architectureName)
    {
        NvrtcCompiler nvrtc = NvrtcForTests.Require();
        GpuArchitecture architecture = GpuArchitecture.Parse(architectureName);
        KernelSpec[] kernels = [.. ((int[])[256, DenseGraphs.Tales.VocabularySize, 14_336, 14_340, DenseGraphs.Base.VocabularySize, 151_936]).Select(LogProbabilityKernel.Create)];

        AssertFit(new KernelCompiler(TestCubins.Cache, nvrtc).Compile(kernels, architecture), architecture);
    }

    public static TheoryData<string> Architectures => new(GpuArchitecture.Tested.Select(architecture => architecture.Name));

    [Fact]
    public void Compile_ASecondTime_ComesFromTheCache()
    {
        NvrtcCompiler nvrtc = NvrtcForTests.Require();
        GpuArchitecture architecture = GpuArchitecture.Parse("sm_80");
        KernelPlan plan = KernelPlanner.Create(
            DenseGraphs.Create(DenseGraphs.Tales, DenseGraphs.Recipes["bf16"]), DeviceProfile.Typical(architecture));
        List<bool> cached = [];
        KernelCompiler compiler = new(new CubinCache(_folder), nvrtc);

        compiler.Compile([plan.Embed], architecture, kernel => cached.Add(kernel.Cached));
        compiler.Compile([plan.Embed, plan.Embed], architecture, kernel => cached.Add(kernel.Cached));

        Assert.Equal([false, true], cached);
    }

    [Fact]
    public void Compile_BrokenText_CarriesTheCompilersLog()
    {
        NvrtcCompiler nvrtc = NvrtcForTests.Require();
        KernelSpec broken = new()
        {
            Name = "broken",
            Header = "ernie/common/types.cuh",
            Function = "no_such_function",
            Arguments = "NoSuchArguments",
            Threads = 32,
            Constants = [],
        };

        KernelCompileException exception = Assert.Throws<KernelCompileException>(
            () => nvrtc.Compile(KernelSource.Create(broken), GpuArchitecture.Parse("sm_80")));

        Assert.Contains("NoSuchArguments", exception.Log, StringComparison.Ordinal);
        Assert.Contains(CudaDiagnostics.CompileFailed, exception.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> ArgumentSizes => new(
        ("ernie/linear/linear_decode.cuh", Size<LinearDecodeArguments>("LinearDecodeArgs")),
        ("ernie/linear/linear_tile.cuh", Size<LinearTileArguments>("LinearTileArgs")),
        ("ernie/linear/linear_wgmma.cuh", Size<LinearWgmmaArguments>("LinearWgmmaArgs")),
        ("ernie/linear/linear_float8.cuh", Size<LinearFloat8Arguments>("LinearFloat8Args") + Size<QuantizedRows>("QuantizedRows")),
        ("ernie/linear/quantize_rows.cuh", Size<QuantizeRowsArguments>("QuantizeRowsArgs")),
        ("ernie/linear/expand_weights.cuh", Size<ExpandWeightsArguments>("ExpandWeightsArgs")),
        ("ernie/norm/norm.cuh", Size<NormArguments>("NormArgs")),
        ("ernie/norm/embed.cuh", Size<EmbedArguments>("EmbedArgs")
            + Size<StepHeader>("StepHeader")),
        ("ernie/attention/attention_wgmma.cuh", Size<AttentionArguments>("AttentionArgs") + Size<AttentionTensorArguments>("AttentionTensorArgs")),
        ("ernie/attention/store_cache.cuh", Size<StoreCacheArguments>("StoreCacheArgs")),
        ("ernie/attention/copy_page.cuh", Size<CopyPageArguments>("CopyPageArgs")),
        ("ernie/persistent/decode_step.cuh", Size<PersistentArguments>("PersistentArgs") + Size<PersistentLayer>("PersistentLayer")),
        ("ernie/sampling/set_slot.cuh", Size<SetSlotArguments>("SetSlotArgs") + Size<SlotState>("SlotState")),
        ("ernie/sampling/sample_rows.cuh", Size<SampleArguments>("SampleArgs")),
        ("ernie/sampling/log_probabilities.cuh", Size<LogProbabilityArguments>("LogProbabilityArgs") + Size<LogProbabilityWish>("LogProbabilityWish")
            + Size<LogProbabilityRecord>("LogProbabilityRecord") + Value(LogProbabilityKernel.MostRivals, "kMostRivals")
            + string.Create(CultureInfo.InvariantCulture, $"static_assert(sizeof(ernie::LogProbabilityPart) == {LogProbabilityKernel.PartBytes}, \"size of a part\");\n")));

    [Theory]
    [MemberData(nameof(ArgumentSizes))]
    public void ArgumentStructs_OnBothSides_HaveTheSameSize(string header, string asserts)
    {
        NvrtcCompiler nvrtc = NvrtcForTests.Require();
        KernelSpec layout = new()
        {
            Name = "layout",
            Header = header,
            Function = "check_layout",
            Arguments = "Nothing",
            Threads = 32,
            Constants = [],
            Snippet = asserts + "namespace ernie { struct Nothing { int x; }; template <class Spec> __device__ void check_layout(const Nothing&) {} }",
        };

        CompiledKernel compiled = nvrtc.Compile(KernelSource.Create(layout), GpuArchitecture.Parse("sm_80"));

        Assert.True(compiled.Cubin.Length > 0);
    }

    private static KernelSpec Sharing(int ints) => new()
    {
        Name = "sharing",
        Header = "ernie/common/types.cuh",
        Function = "share",
        Arguments = "Shared",
        Threads = 32,
        Constants = [],
        Snippet = string.Create(CultureInfo.InvariantCulture, $$"""
            namespace ernie {
            struct Shared { int* x; };
            template <class Spec> __device__ void share(const Shared& args) {
                __shared__ int values[{{ints}}];
                values[threadIdx.x % {{ints}}] = args.x[0];
                __syncthreads();
                args.x[1] = values[args.x[2]];
            }
            }
            """),
    };

    private static string Value(int value, string name) =>
        string.Create(CultureInfo.InvariantCulture, $"static_assert(ernie::{name} == {value}, \"value of {name}\");\n");

    private static string Size<T>(string name) =>
        string.Create(CultureInfo.InvariantCulture, $"static_assert(sizeof(ernie::{name}) == {Unsafe.SizeOf<T>()}, \"size of {name}\");\n");
}
