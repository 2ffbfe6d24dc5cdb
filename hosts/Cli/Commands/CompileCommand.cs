using System.Diagnostics;
using System.Globalization;
using Ernie.Cli.Hosting;
using Ernie.Cli.Kernels;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Nvrtc;
using Ernie.Hosting.Options;
using Ernie.Kernels;

namespace Ernie.Cli.Commands;

/// <summary>Fills the cache of compiled kernels, on a machine with or without a GPU.</summary>
/// <param name="findCompiler">Finds NVRTC; tests put nothing in its place.</param>
internal sealed class CompileCommand(Func<NvrtcCompiler?> findCompiler) : ICommand
{
    private static readonly OptionRows s_rows = new(OptionGroup.Command);
    private static readonly PlanOptions s_target = new(string.Join(',', GpuArchitecture.Tested));
    private static readonly Option<string?> s_cubinCache = s_rows.OptionalText("cubin-cache", "Folder of the compiled kernels. Absent: the one that the server uses.");

    /// <summary>With the NVRTC of this machine.</summary>
    public CompileCommand()
        : this(NvrtcCompiler.TryCreate)
    {
    }

    /// <inheritdoc/>
    public string Name => "compile";

    /// <inheritdoc/>
    public string Summary => "Compiles a model's GPU kernels into the cache, for GPUs that need not be in this machine. Needs NVRTC, not a driver.";

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
        CubinCache cache = context.Options.Get(s_cubinCache) is { } folder ? new CubinCache(folder) : CubinCache.Default();
        var compiler = new KernelCompiler(cache, findCompiler());
        foreach (KernelPlan plan in plans)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var progress = new KernelProgress(context.Console.Error, plan.Device.Architecture);
            var clock = Stopwatch.StartNew();
            compiler.Compile(plan.Kernels, plan.Device.Architecture, progress.Report);
            context.Console.Output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{plan.Device.Architecture} with {plan.Device.Multiprocessors} multiprocessors: {progress.Compiled} kernels compiled, {progress.Cached} from the cache, {clock.Elapsed.TotalSeconds:0.0} s"));
        }

        if (cache.FailedWrites > 0)
        {
            context.Console.Error.WriteLine($"{cache.FailedWrites} kernels could not be stored in {cache.Folder}: {cache.WriteFailure}");
            return 1;
        }

        context.Console.Output.WriteLine($"The cache is {cache.Folder}; ERNIE_CUBIN_CACHE names it to a server elsewhere.");
        return 0;
    }
}
