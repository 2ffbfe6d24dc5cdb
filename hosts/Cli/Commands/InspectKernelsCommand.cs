using System.Globalization;
using Ernie.Cli.Hosting;
using Ernie.Cli.Kernels;
using Ernie.Cuda;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Nvrtc;
using Ernie.Hosting.Options;
using Ernie.Kernels;

namespace Ernie.Cli.Commands;

/// <summary>Shows a model's kernels: their constants, and what the compiled ones take.</summary>
/// <param name="findCompiler">Finds NVRTC; tests put nothing in its place.</param>
internal sealed class InspectKernelsCommand(Func<NvrtcCompiler?> findCompiler) : ICommand
{
    private static readonly OptionRows s_rows = new(OptionGroup.Command);
    private static readonly PlanOptions s_target = new("sm_90a");
    private static readonly Option<bool> s_constants = s_rows.Switch("constants", "Print each kernel's constants.");
    private static readonly Option<string?> s_cubinCache = s_rows.OptionalText("cubin-cache", "Folder of the compiled kernels. Absent: the one that the server uses.");

    /// <summary>With the NVRTC of this machine.</summary>
    public InspectKernelsCommand()
        : this(NvrtcCompiler.TryCreate)
    {
    }

    /// <inheritdoc/>
    public string Name => "inspect kernels";

    /// <inheritdoc/>
    public string Summary => "Lists a model's GPU kernels with registers, local and shared memory, from the cache or compiled now; --constants adds what specialises them.";

    /// <inheritdoc/>
    public IReadOnlyList<OptionDefinition> Options { get; } =
    [
        .. s_target.All,
        .. s_rows.All,
        .. OptionTable.WithoutServer,
    ];

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        IReadOnlyList<KernelPlan> plans = await PlanSource.LoadAsync(context, s_target, cancellationToken).ConfigureAwait(false);
        var compiler = new KernelCompiler(
            context.Options.Get(s_cubinCache) is { } folder ? new CubinCache(folder) : CubinCache.Default(), findCompiler());
        foreach (KernelPlan plan in plans)
        {
            IReadOnlyDictionary<KernelSpec, CompiledKernel> compiled = Compile(plan, compiler, context.Console.Error);
            context.Console.Output.WriteLine($"{plan.Model.Shape.Name} on {plan.Device.Architecture} with {plan.Device.Multiprocessors} multiprocessors; memory in bytes");
            context.Console.Output.WriteLine("kernel                            threads  registers    local   static shared  dynamic shared    cubin");
            foreach (KernelSpec kernel in plan.Kernels.Distinct())
            {
                Write(kernel, compiled.GetValueOrDefault(kernel), context.Console.Output);
                if (context.Options.Get(s_constants))
                    context.Console.Output.WriteLine("  " + string.Join(", ", kernel.Constants.Select(constant => $"{constant.Name} = {constant.Value}")));
            }

            context.Console.Output.WriteLine();
        }

        return 0;
    }

    // Without a compiler and a full cache the plan is still worth showing.
    private static IReadOnlyDictionary<KernelSpec, CompiledKernel> Compile(KernelPlan plan, KernelCompiler compiler, TextWriter error)
    {
        try
        {
            return compiler.Compile(plan.Kernels, plan.Device.Architecture, new KernelProgress(error, plan.Device.Architecture).Report);
        }
        catch (CudaUnavailableException exception)
        {
            error.WriteLine(exception.Message);
            return new Dictionary<KernelSpec, CompiledKernel>();
        }
    }

    private static void Write(KernelSpec kernel, CompiledKernel? compiled, TextWriter output)
    {
        string resources = compiled is null
            ? $"{"-",11}{"-",9}{"-",16}{kernel.SharedMemoryBytes,16}{"-",9}"
            : $"{compiled.Registers,11}{compiled.LocalBytes,9}{CubinImage.StaticSharedBytes(compiled.Cubin.Span, kernel.Name),16}{kernel.SharedMemoryBytes,16}{compiled.Cubin.Length,9}";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kernel.Name,-34}{kernel.Threads,7}{resources}"));
    }
}
