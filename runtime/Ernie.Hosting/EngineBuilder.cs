using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Ernie.Caching;
using Ernie.Engine;
using Ernie.Engine.Settings;
using Ernie.Execution;
using Ernie.Graph;
using Ernie.Hosting.Backends;
using Ernie.Hosting.Models;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;
using Ernie.Hosting.Plugins;
using Ernie.Models;
using Ernie.Sampling;
using Ernie.Text;
using Ernie.Tokenization;
using Ernie.Weights;

namespace Ernie.Hosting;

/// <summary>The composition root: options → plugins, model, graph, device, engine.</summary>
[RequiresUnreferencedCode("Plugins are loaded at run time.")]
public sealed class EngineBuilder
{
    private readonly OptionSet _options;
    private readonly QuantizationOptions _quantization;
    private readonly List<StartupPhase> _phases = [];

    /// <summary>Makes a builder.</summary>
    /// <param name="options">Which model; capacity, device, plugins.</param>
    /// <exception cref="OptionException">A quantisation that there is not.</exception>
    public EngineBuilder(OptionSet options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _quantization = QuantizationOptions.Create(options);
    }

    /// <summary>Backends to choose from, best first.</summary>
    public IReadOnlyList<IBackend> Backends { get; init; } = BackendList.All;

    /// <summary>Told what is being done and what an operator should know, one line each.</summary>
    public Action<string>? Progress { get; init; }

    /// <summary>The directories plugins are loaded from.</summary>
    /// <param name="options">Options, which name further directories.</param>
    public static IReadOnlyList<string> PluginDirectories(OptionSet options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return [PluginLoader.DefaultDirectory, .. options.Get(PluginRows.Directories)];
    }

    /// <summary>The recipe that quantisation options stand for.</summary>
    /// <param name="options">Precisions.</param>
    public static QuantizationRecipe CreateRecipe(QuantizationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new QuantizationRecipe(Encoding(options.Layers, options.GroupSize), Encoding(options.Head, options.GroupSize));
    }

    /// <summary>Builds the engine and starts it.</summary>
    /// <param name="cancellationToken">Ends a download; what is loaded from disk is loaded to the end.</param>
    /// <exception cref="OptionException">Options that do not fit the model, the device or the plugins.</exception>
    /// <exception cref="PluginException">A required plugin does not work, or a plugin directory that the options name does not exist.</exception>
    /// <exception cref="WeightFormatException">The checkpoint is damaged or does not fit.</exception>
    /// <exception cref="HubException">The model cannot be downloaded.</exception>
    public async Task<EngineSession> BuildAsync(CancellationToken cancellationToken = default)
    {
        long startedAt = Stopwatch.GetTimestamp();
        ModelFiles files = await ModelFiles.FindAsync(_options, Progress, cancellationToken).ConfigureAwait(false);
        Note("find model", startedAt);

        // The tokenizer loads while the weights are read; the plugins while the graph is built, for a device may compile their samplers in.
        Task<TextParts> text = Task.Run(() => LoadText(files), cancellationToken);
        Task<PluginCatalog> plugins = Task.Run(LoadPlugins, cancellationToken);
        Task device = Task.Run(OpenDevice, cancellationToken);
        (ModelGraph graph, Checkpoint checkpoint) = OpenModel(files);
        IExecutor? executor = null;
        try
        {
            // Before a backend spends seconds on the tensors that do fit.
            new WeightLoader(checkpoint, files.Folder.Layout).Check(graph);
            PluginCatalog catalog = await plugins.ConfigureAwait(false);
            await device.ConfigureAwait(false);
            startedAt = Stopwatch.GetTimestamp();
            var request = new BackendRequest
            {
                Graph = graph,
                Checkpoint = checkpoint,
                Layout = files.Folder.Layout,
                Quantization = _quantization,
                Options = _options,
                Samplers = [.. catalog.Samplers.Values],
                Phase = (phase, elapsed) => Note(phase, elapsed),
                Notice = Progress,
                RefuseSamplers = broken => Refuse(catalog, broken),
            };
            executor = BackendList.Load(Backends, request, Progress);
            Note($"load weights on {executor.Info.Device}", startedAt);
            TextParts parts = await text.ConfigureAwait(false);
            startedAt = Stopwatch.GetTimestamp();
            ExecutorWarmup.Run(executor);
            Note("warm up", startedAt);
            EngineSettings settings = CreateSettings(files, executor.Info, catalog, parts.Tokenizer);
            return new EngineSession(new InferenceEngine(executor, settings), checkpoint)
            {
                Tokenizer = parts.Tokenizer,
                ChatTemplate = parts.ChatTemplate,
                Defaults = parts.Defaults,
                Graph = graph,
                ModelDirectory = files.Folder.Path,
                Plugins = catalog,
                Phases = _phases,
            };
        }
        catch
        {
            executor?.Dispose();
            checkpoint.Dispose();
            throw;
        }
    }

    private (ModelGraph Graph, Checkpoint Checkpoint) OpenModel(ModelFiles files)
    {
        long startedAt = Stopwatch.GetTimestamp();
        ResolvedModel model = ModelRegistry.Resolve(files.Folder.ConfigPath);
        Checkpoint checkpoint = _options.Get(ModelRows.LoadFormat) == LoadFormat.Dummy ? new DummyCheckpoint() : files.Folder.OpenWeights();
        try
        {
            // A graph is as large as the config says: what the tensors do not bear out is refused before it is built.
            CheckpointSize.Check(model.Definition.Shape, checkpoint, files.Folder.ConfigPath);
            ModelGraph graph = model.Definition.BuildOptimizedGraph(CreateRecipe(_quantization));
            Note("build graph", startedAt);
            return (graph, checkpoint);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    private TextParts LoadText(ModelFiles files)
    {
        long startedAt = Stopwatch.GetTimestamp();
        string directory = _options.Get(ModelRows.Tokenizer) ?? files.Folder.Path;
        if (!_options.IsSet(ModelRows.Tokenizer) && _options.Get(ModelRows.LoadFormat) == LoadFormat.Dummy && files.Folder.TokenizerPath is null)
        {
            // Made-up weights say nothing in any vocabulary: a config.json alone is enough to measure with.
            directory = ModelFiles.EmbeddedDirectory;
            Progress?.Invoke($"{files.Folder.Path} holds no tokenizer; with made-up weights the embedded model's serves.");
        }

        BpeTokenizer tokenizer = TokenizerLoader.Load(directory);
        IChatTemplate? template = _options.Get(ModelRows.ChatTemplate) is { } given
            ? ChatTemplateLoader.Parse(given, directory, tokenizer)
            : ChatTemplateLoader.Load(directory, tokenizer);
        GenerationDefaults defaults = GenerationConfig.Load(files.Folder.Path, tokenizer);
        Note("load tokenizer (beside the weights)", startedAt);
        return new TextParts(tokenizer, template, defaults);
    }

    // A driver takes as long to start as a graph to build. What this finds out is asked again when a backend is chosen, and answered at once.
    private void OpenDevice()
    {
        long startedAt = Stopwatch.GetTimestamp();
        string device = _options.Get(DeviceRows.Device);
        IBackend? first = Backends.FirstOrDefault(backend => device == "auto" || backend.Name == device);
        if (first?.FindObstacle() is null && first is not null)
            Note($"open {first.Name} (beside the graph)", startedAt);
    }

    private PluginCatalog LoadPlugins()
    {
        long startedAt = Stopwatch.GetTimestamp();
        PluginCatalog catalog = PluginLoader.Load(PluginDirectories(_options));
        foreach (PluginDiagnostic diagnostic in catalog.Diagnostics)
        {
            Progress?.Invoke(diagnostic.ToString());
        }

        Note("load plugins (beside the graph)", startedAt);
        return catalog;
    }

    private void Refuse(PluginCatalog catalog, IReadOnlyList<(ISampler Sampler, PluginDiagnostic Diagnostic)> broken)
    {
        foreach ((_, PluginDiagnostic diagnostic) in broken)
        {
            Progress?.Invoke(diagnostic.ToString());
        }

        catalog.Refuse(broken);
    }

    private EngineSettings CreateSettings(ModelFiles files, ExecutorInfo info, PluginCatalog catalog, ITokenizer tokenizer)
    {
        string sampler = _options.Get(SamplingRows.Sampler);
        if (!catalog.Samplers.ContainsKey(sampler))
        {
            throw new OptionException($"--sampler is '{sampler}'; the plugins bring {List(catalog.Samplers.Keys)}.");
        }

        ICachePolicy? policy = null;
        if (_options.Get(CapacityRows.PrefixCaching))
        {
            string name = _options.Get(PluginRows.CachePolicy);
            if (!catalog.CachePolicies.TryGetValue(name, out Func<CachePolicyOptions, ICachePolicy>? create))
            {
                throw new OptionException($"--cache-policy is '{name}'; the plugins bring {List(catalog.CachePolicies.Keys)}.");
            }

            policy = CreatePolicy(name, create, new CachePolicyOptions(info.PageCount, info.TokensPerPage) { Settings = PluginRows.CachePolicySettings(_options) });
        }

        return new EngineSettings
        {
            ModelName = _options.Get(ModelRows.ServedModelNames) is [var served, ..] ? served : files.Name,
            Samplers = [.. catalog.Samplers.Values],
            Tokenizer = tokenizer,
            DefaultSampler = sampler,
            CachePolicy = policy,
            MaxSequences = _options.Get(CapacityRows.MaxSequences),
            MaxQueuedRequests = _options.Get(ServerRows.MaxQueuedRequests),
            ChunkedPrefill = _options.Get(CapacityRows.ChunkedPrefill),
            Overlap = _options.Get(CapacityRows.Overlap),
            Seed = _options.Get(ModelRows.Seed),
            MaxLogprobs = _options.Get(SamplingRows.MaxLogprobs),
            LogprobsMode = _options.Get(SamplingRows.LogprobsMode),
            Warn = Progress,
        };
    }

    private static ICachePolicy CreatePolicy(string name, Func<CachePolicyOptions, ICachePolicy> create, CachePolicyOptions options)
    {
        try
        {
            return create(options);
        }
        catch (ArgumentException e)
        {
            throw new OptionException($"--cache-policy {name}: {e.Message}", e);
        }
    }

    private static WeightEncoding Encoding(WeightPrecision precision, int groupSize) => precision switch
    {
        WeightPrecision.WInt8 => WeightEncoding.Int8PerChannel,
        WeightPrecision.WInt4 => groupSize == 0 ? WeightEncoding.Int4PerChannel : WeightEncoding.Int4Group(groupSize),
        WeightPrecision.BlockWiseFp8 => WeightEncoding.Fp8Block128,
        _ => WeightEncoding.Bf16,
    };

    private static string List(IEnumerable<string> names) => string.Join(", ", names.Order(StringComparer.Ordinal));

    private void Note(string phase, long startedAt) => Note(phase, Stopwatch.GetElapsedTime(startedAt));

    private void Note(string phase, TimeSpan elapsed)
    {
        lock (_phases)
        {
            _phases.Add(new StartupPhase(phase, elapsed));
        }
    }

    private sealed record TextParts(ITokenizer Tokenizer, IChatTemplate? ChatTemplate, GenerationDefaults Defaults);
}
