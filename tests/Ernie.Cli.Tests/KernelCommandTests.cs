using Ernie.Cli.Commands;
using Ernie.Cli.Hosting;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Nvrtc;
using Ernie.Hosting;
using Ernie.Hosting.Options;
using Ernie.Hosting.Plugins;
using Ernie.Kernels;
using Ernie.Models;

namespace Ernie.Cli.Tests;

/// <summary>The commands that plan and compile kernels, with the embedded model and without a compiler or a GPU.</summary>
public sealed class KernelCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ernie-cubins-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task InspectPlan_ListsLaunchesAndTheFloorOfEachArchitecture()
    {
        (int exit, string output, string error) = await RunAsync(new InspectPlanCommand(), "--arch", "sm_80,sm_90", "--batch-size", "16", "--quantization", "wint8");

        Assert.True(exit == 0, error);
        Assert.Contains("tales on sm_80 with 108 multiprocessors, 16 sequence(s) of 1024 tokens", output, StringComparison.Ordinal);
        Assert.Contains("tales on sm_90a with 132 multiprocessors", output, StringComparison.Ordinal);
        Assert.Contains("ernie_qkv_small_int8", output, StringComparison.Ordinal);
        Assert.Equal(2, output.Split("floor of the step").Length - 1);
    }

    [Theory]
    [InlineData("--persistent-kernel", true)]
    [InlineData("--no-persistent-kernel", false)]
    [InlineData("--no-use-cudagraph", false)]
    public async Task InspectPlan_OfOneSequence_HasThePersistentKernelUnlessItIsSwitchedOff(string option, bool isPersistent)
    {
        (int exit, string output, string error) = await RunAsync(new InspectPlanCommand(), "--arch", "sm_90", "--batch-size", "1", option);

        Assert.True(exit == 0, error);
        Assert.Equal(isPersistent, output.Contains("ernie_decode_step", StringComparison.Ordinal));
    }

    [Fact]
    public async Task InspectPlan_OfAPrompt_ListsThePrefillKernels()
    {
        (int exit, string output, _) = await RunAsync(new InspectPlanCommand(), "--prompt-len", "2048", "--multiprocessors", "100");

        Assert.Equal(0, exit);
        Assert.Contains("with 100 multiprocessors, a prompt of 2048 tokens", output, StringComparison.Ordinal);
        Assert.Contains("ernie_attention_prefill", output, StringComparison.Ordinal);
        Assert.DoesNotContain("ernie_attention_decode", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sm_75")]
    [InlineData("sm_80,sm_91")]
    [InlineData(",")]
    public async Task Arch_ThatIsUnknown_IsAUsageErrorThatNamesTheKnown(string architectures)
    {
        (int exit, _, string error) = await RunAsync(new CompileCommand(() => null), "--arch", architectures);

        Assert.Equal(CommandLine.UsageError, exit);
        Assert.Contains("sm_80, sm_86, sm_89, sm_90a", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compile_WithoutACompiler_SaysWhatToInstall()
    {
        (int exit, _, string error) = await RunAsync(new CompileCommand(() => null), "--arch", "sm_80", "--cubin-cache", _folder);

        Assert.Equal(1, exit);
        Assert.Contains("ERN3004", error, StringComparison.Ordinal);
        Assert.Contains("ERNIE_NVRTC", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compile_OverAFullCache_FindsEveryKernelThatAServerWouldAskFor()
    {
        KernelPlan plan = Plan();
        Fill(plan, registers: 77);

        (int exit, string output, string error) = await RunAsync(new CompileCommand(() => null), "--arch", "sm_80", "--cubin-cache", _folder);

        Assert.True(exit == 0, error);
        int count = plan.Kernels.Distinct().Count();
        Assert.Contains($"sm_80 with 108 multiprocessors: 0 kernels compiled, {count} from the cache", output, StringComparison.Ordinal);
        Assert.Contains($"sm_80 {count}/{count} ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task InspectKernels_WithAFullCache_ShowsWhatEachTakes()
    {
        Fill(Plan(), registers: 77);

        (int exit, string output, string error) = await RunAsync(
            new InspectKernelsCommand(() => null), "--arch", "sm_80", "--constants", "--cubin-cache", _folder);

        Assert.True(exit == 0, error);
        Assert.Contains("ernie_attention_decode", output, StringComparison.Ordinal);
        Assert.Contains(" 77 ", output, StringComparison.Ordinal);
        Assert.Contains("kHeadSize = 128", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task InspectKernels_WithNeitherCompilerNorCache_ShowsThePlan()
    {
        (int exit, string output, string error) = await RunAsync(new InspectKernelsCommand(() => null), "--arch", "sm_80", "--cubin-cache", _folder);

        Assert.Equal(0, exit);
        Assert.Contains("ernie_attention_decode", output, StringComparison.Ordinal);
        Assert.Contains("ERN3004", error, StringComparison.Ordinal);
    }

    // Built with the product's own parts, as a server builds it.
    private static KernelPlan Plan()
    {
        ModelDefinition model = ModelRegistry.Resolve(
            Path.Combine(Ernie.Hosting.Models.ModelFiles.EmbeddedDirectory, "config.json")).Definition;
        var quantization = new QuantizationOptions();
        OptionSet options = OptionSet.Defaults;
        return Ernie.Cuda.CudaExecutor.CreatePlan(
            model.BuildOptimizedGraph(EngineBuilder.CreateRecipe(quantization)),
            DeviceProfile.Typical(GpuArchitecture.Parse("sm_80")),
            Ernie.Hosting.Backends.CudaBackend.ExecutorOptions(
                options, quantization, [.. PluginLoader.Load(EngineBuilder.PluginDirectories(options)).Samplers.Values]));
    }

    // The smallest ELF file: a header and a table of one empty section.
    private void Fill(KernelPlan plan, int registers)
    {
        byte[] cubin = new byte[128];
        "\u007FELF"u8.CopyTo(cubin);
        cubin[0x28] = 64;
        cubin[0x3A] = 64;
        cubin[0x3C] = 1;
        var cache = new CubinCache(_folder);
        foreach (KernelSpec kernel in plan.Kernels.Distinct())
            cache.Write(CubinCache.Key(KernelSource.Create(kernel), plan.Device.Architecture, "13.0"), new CompiledKernel(cubin, registers, 0));
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(ICommand command, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var console = new CommandConsole(TextReader.Null, output, error, InputRedirected: true, OutputRedirected: true);
        int exit = await new CommandLine(console, StubModel.OpenAsync, [command]).RunAsync([.. command.Name.Split(' '), .. args], CancellationToken.None);
        return (exit, output.ToString(), error.ToString());
    }
}
