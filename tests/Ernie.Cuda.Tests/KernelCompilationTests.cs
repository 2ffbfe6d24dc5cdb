using System.Globalization;
using System.Runtime.CompilerServices;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Execution;
using Ernie.Cuda.Nvrtc;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Testing.Gpu;

namespace Ernie.Cuda.Tests;

public sealed class KernelCompilationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ernie-cubins-").FullName;

    /// <summary>
    /// Every quantisation and every architecture once. ERNIE_COMPILE_ALL=1 compiles each with each, for both models.
    /// </summary>
    public static TheoryData<string, string, string> Plans
    {
        get
        {
            if (Environment.GetEnvironmentVariable("ERNIE_COMPILE_ALL") != "1")
            {
                return new TheoryData<string, string, string>(
                    ("ernie-4.5-0.3b", "bf16", "sm_80"), ("ernie-4.5-0.3b", "wint8", "sm_86"), ("ernie-4.5-0.3b", "fp8", "sm_89"),
                    ("ernie-4.5-0.3b", "wint4", "sm_90a"), ("tales", "bf16", "sm_90a"));
            }

            return new TheoryData<string, string, string>(
                from model in (string[])["tales", "ernie-4.5-0.3b"]
                from recipe in DenseGraphs.Recipes.Keys
                from architecture in GpuArchitecture.Tested
                select (model, recipe, architecture.Name));
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Plans))]
    public void Compile_APlan_SpillsNothing(string model, string quantization, string architectureName)
    {
        NvrtcCompiler nvrtc = NvrtcForTests.Require();
        GpuArchitecture architecture = GpuArchitecture.Parse(architectureName);
        ModelShape shape = model == "tales" ? DenseGraphs.Tales : DenseGraphs.Base;
        KernelPlan plan = KernelPlanner.Create(
            DenseGraphs.Create(shape, DenseGraphs.Recipes[quantization]), DeviceProfile.Typical(architecture));

        IReadOnlyDictionary<KernelSpec, CompiledKernel> kernels = new KernelCompiler(new CubinCache(_folder), nvrtc).Compile(plan.Kernels, architecture);

        Assert.Equal(plan.Kernels.Distinct().Count(), kernels.Count);
        foreach ((KernelSpec specification, CompiledKernel kernel) in kernels)
        {
            Assert.True(kernel.LocalBytes == 0, $"{specification.Name} spills {kernel.LocalBytes} bytes with {kernel.Registers} registers");
            Assert.InRange(kernel.Registers, 1, 255);
            Assert.Equal("\x7F" + "ELF", System.Text.Encoding.Latin1.GetString(kernel.Cubin.Span[..4]));
        }
    }

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
        ("ernie/norm/norm.cuh", Size<NormArguments>("NormArgs")),
        ("ernie/norm/embed.cuh", Size<EmbedArguments>("EmbedArgs")
            + Size<StepHeader>("StepHeader")),
        ("ernie/attention/common.cuh", Size<AttentionArguments>("AttentionArgs")),
        ("ernie/sampling/set_slot.cuh", Size<SetSlotArguments>("SetSlotArgs") + Size<SlotState>("SlotState")),
        ("ernie/sampling/sample_rows.cuh", Size<SampleArguments>("SampleArgs")));

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

    private static string Size<T>(string name) =>
        string.Create(CultureInfo.InvariantCulture, $"static_assert(sizeof(ernie::{name}) == {Unsafe.SizeOf<T>()}, \"size of {name}\");\n");
}
