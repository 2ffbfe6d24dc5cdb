using Ernie.Cli.Hosting;
using Ernie.Cuda;
using Ernie.Graph;
using Ernie.Hosting;
using Ernie.Hosting.Backends;
using Ernie.Hosting.Models;
using Ernie.Hosting.Options;
using Ernie.Hosting.Plugins;
using Ernie.Kernels;
using Ernie.Models;

namespace Ernie.Cli.Kernels;

/// <summary>Plans the kernels that a server with the same options would load, for GPUs that need not be here.</summary>
internal static class PlanSource
{
    /// <summary>One plan for each device that the options name.</summary>
    /// <param name="context">Options parsed with those of <paramref name="target"/> and the model's.</param>
    /// <param name="target">For which GPUs.</param>
    /// <param name="cancellationToken">Ends a download.</param>
    /// <exception cref="CudaUnavailableException">There are no kernels for the model.</exception>
    /// <exception cref="OptionException">What is asked is not possible on a GPU.</exception>
    public static async Task<IReadOnlyList<KernelPlan>> LoadAsync(CommandContext context, PlanOptions target, CancellationToken cancellationToken)
    {
        IReadOnlyList<DeviceProfile> devices = target.Devices(context.Options);
        OptionSet options = context.Options;
        var quantization = QuantizationOptions.Create(options);
        ModelFiles files = await ModelFiles.FindAsync(options, context.Console.Error.WriteLine, cancellationToken).ConfigureAwait(false);
        ModelDefinition model = ModelRegistry.Resolve(files.Folder.ConfigPath).Definition;
        ModelGraph graph = model.BuildOptimizedGraph(EngineBuilder.CreateRecipe(quantization));
        PluginCatalog plugins = PluginLoader.Load(EngineBuilder.PluginDirectories(options));
        foreach (PluginDiagnostic diagnostic in plugins.Diagnostics)
            context.Console.Error.WriteLine(diagnostic.ToString());
        // Its samplers are compiled in, so they are part of the plan.
        CudaExecutorOptions executor = CudaBackend.ExecutorOptions(options, quantization, [.. plugins.Samplers.Values]);
        return [.. devices.Select(device => CudaExecutor.CreatePlan(graph, device, executor))];
    }
}
