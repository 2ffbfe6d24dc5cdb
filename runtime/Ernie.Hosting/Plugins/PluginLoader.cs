using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using Ernie.Plugins;
using AssemblyLoader = McMaster.NETCore.Plugins.PluginLoader;

namespace Ernie.Hosting.Plugins;

/// <summary>
/// Loads plugins from directories that an operator allows: <c>plugins/</c> beside the program and every <c>--plugin-dir</c>.
/// plugin.json is read before any code; a bad plugin is reported and skipped, unless it is required. A directory that an operator
/// names must exist; the one beside the program may be absent.
/// </summary>
[RequiresUnreferencedCode("Plugins are loaded at run time.")]
public static class PluginLoader
{
    private const string ManifestName = "plugin.json";

    /// <summary>The directory beside the program.</summary>
    public static string DefaultDirectory => Path.Combine(AppContext.BaseDirectory, "plugins");

    /// <summary>Loads every plugin below directories.</summary>
    /// <param name="directories">Directories with one folder per plugin, or that are a plugin's folder themselves; earlier ones win on equal names.</param>
    /// <returns>What was found, good and bad.</returns>
    /// <exception cref="PluginException">A required plugin does not work, or a directory other than <see cref="DefaultDirectory"/> does not exist.</exception>
    public static PluginCatalog Load(IReadOnlyList<string> directories)
    {
        PluginCatalog catalog = Check(directories, out string? failure);
        return failure is null ? catalog : throw new PluginException(failure);
    }

    /// <summary>Loads like <see cref="Load"/>, but what must be there and is not is only reported: what <c>plugins check</c> shows.</summary>
    /// <param name="directories">Directories.</param>
    public static PluginCatalog Check(IReadOnlyList<string> directories) => Check(directories, out _);

    private static PluginCatalog Check(IReadOnlyList<string> directories, out string? failure)
    {
        ArgumentNullException.ThrowIfNull(directories);
        var catalog = new PluginCatalog();
        string[] folders = [.. directories.SelectMany(directory => FindFolders(directory, catalog)).Distinct()];
        string defaultPath = Path.GetFullPath(DefaultDirectory);
        failure = catalog.Problems.FirstOrDefault(problem => problem.Path != defaultPath)?.ToString(); // So far all are missing directories.
        var opened = new OpenedPlugin[folders.Length];
        // Files are opened side by side; plugins register one by one, so that the earlier one wins whatever the threads do.
        Parallel.For(0, folders.Length, index => opened[index] = Open(folders[index]));
        foreach (OpenedPlugin candidate in opened)
        {
            PluginInfo plugin = LoadFolder(candidate, catalog);
            catalog.Found.Add(plugin);
            if (plugin.Diagnostic is { } diagnostic)
            {
                catalog.Problems.Add(diagnostic);
                if (candidate.Manifest is { Required: true })
                {
                    failure ??= $"Plugin '{plugin.Name}' is required and does not work. {diagnostic}";
                }
            }
        }

        return catalog;
    }

    private static IEnumerable<string> FindFolders(string directory, PluginCatalog catalog)
    {
        string path = Path.GetFullPath(directory);
        if (!Directory.Exists(path))
        {
            catalog.Problems.Add(new PluginDiagnostic(PluginDiagnostic.DirectoryMissing, path, "There is no such plugin directory."));
            return [];
        }

        return File.Exists(Path.Combine(path, ManifestName))
            ? [path]
            : Directory.GetDirectories(path).Where(folder => File.Exists(Path.Combine(folder, ManifestName))).Order(StringComparer.Ordinal);
    }

    private static OpenedPlugin Open(string folder)
    {
        if (ReadManifest(Path.Combine(folder, ManifestName), out PluginManifest? manifest) is { } unreadable)
        {
            return new OpenedPlugin(folder) { Unreadable = unreadable };
        }

        PluginManifest known = manifest!; // ReadManifest gives a manifest or a diagnostic.
        var opened = new OpenedPlugin(folder) { Manifest = known };
        string assemblyPath = opened.AssemblyPath;
        if (!known.Enabled || known.Contract != PluginContract.Version || Path.GetDirectoryName(assemblyPath) != folder || !File.Exists(assemblyPath))
        {
            return opened;
        }

        try
        {
            // Shared are the contract and what it references, also when a copy lies beside the plugin: that would be another set of types.
            // Not unloadable, so disposing it leaves the plugin loaded: a sampler's code may be on the loop's stack at any time.
            using AssemblyLoader loader = AssemblyLoader.CreateFromAssemblyFile(assemblyPath, isUnloadable: false, [typeof(IPlugin)]);
            return opened with { Attribute = loader.LoadDefaultAssembly().GetCustomAttribute<ErniePluginAttribute>() };
        }
#pragma warning disable CA1031 // The door of plugins: whatever their files do to the loader is theirs alone.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return opened with { Failure = e };
        }
    }

    private static PluginInfo LoadFolder(OpenedPlugin opened, PluginCatalog catalog)
    {
        string folder = opened.Folder, manifestPath = Path.Combine(folder, ManifestName);
        if (opened.Unreadable is { } unreadable)
        {
            return Failed(Path.GetFileName(folder), "", folder, PluginState.Malfunctioned, unreadable);
        }

        PluginManifest known = opened.Manifest!; // One of the two is there.
        if (!known.Enabled)
        {
            return new PluginInfo(known.Name, known.Version, folder, PluginState.Disabled, null, []);
        }

        if (catalog.Found.Any(other => other.State == PluginState.Loaded && other.Name == known.Name))
        {
            return Malfunctioned(known, folder, new PluginDiagnostic(
                PluginDiagnostic.DuplicateName, manifestPath, $"A plugin '{known.Name}' is loaded already; the earlier one stays."));
        }

        if (known.Contract != PluginContract.Version)
        {
            return WrongContract(known, folder, manifestPath, known.Contract);
        }

        string assemblyPath = opened.AssemblyPath;
        if (Path.GetDirectoryName(assemblyPath) != folder || !File.Exists(assemblyPath))
        {
            return Malfunctioned(known, folder, new PluginDiagnostic(
                PluginDiagnostic.AssemblyMissing, manifestPath, $"'{known.Assembly}' is not a file in the plugin's folder."));
        }

        return opened.Failure is { } failure
            ? Malfunctioned(known, folder, new PluginDiagnostic(PluginDiagnostic.NotLoadable, assemblyPath, Describe(failure)))
            : Register(known, opened.Attribute, folder, assemblyPath, catalog);
    }

    private static PluginDiagnostic? ReadManifest(string path, out PluginManifest? manifest)
    {
        manifest = null;
        try
        {
            manifest = JsonSerializer.Deserialize(File.ReadAllBytes(path), PluginJsonContext.Default.PluginManifest);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return new PluginDiagnostic(PluginDiagnostic.BadManifest, path, e.Message);
        }

        return manifest is { Name.Length: > 0, Assembly.Length: > 0 }
            ? null
            : new PluginDiagnostic(PluginDiagnostic.BadManifest, path, "'name' and 'assembly' must not be empty.");
    }

    private static PluginInfo Register(PluginManifest manifest, ErniePluginAttribute? attribute, string folder, string assemblyPath, PluginCatalog catalog)
    {
        if (attribute is null)
        {
            return Malfunctioned(manifest, folder, new PluginDiagnostic(
                PluginDiagnostic.NoEntryType, assemblyPath, "The assembly has no [assembly: ErniePlugin(typeof(…), PluginContract.Version)]."));
        }

        if (attribute.ContractVersion != PluginContract.Version)
        {
            // plugin.json may promise anything; the constant was baked in when the plugin was built.
            return WrongContract(manifest, folder, assemblyPath, attribute.ContractVersion);
        }

        var registry = new StagedRegistry(catalog, assemblyPath);
        try
        {
            if (Activator.CreateInstance(attribute.EntryType) is not IPlugin plugin)
            {
                return Malfunctioned(manifest, folder, new PluginDiagnostic(
                    PluginDiagnostic.NoEntryType, assemblyPath, $"The entry type {attribute.EntryType} does not implement {nameof(IPlugin)}."));
            }

            plugin.Register(registry);
        }
        catch (MissingMethodException e) when (e.TargetSite?.Name == nameof(Activator.CreateInstance) || e.Message.Contains("constructor", StringComparison.OrdinalIgnoreCase))
        {
            return Malfunctioned(manifest, folder, new PluginDiagnostic(
                PluginDiagnostic.NoEntryType, assemblyPath, $"The entry type {attribute.EntryType} has no public parameterless constructor."));
        }
        catch (Exception e) when (Root(e) is FileNotFoundException or FileLoadException or BadImageFormatException or TypeLoadException or MissingMethodException)
        {
            return Malfunctioned(manifest, folder, new PluginDiagnostic(PluginDiagnostic.NotLoadable, assemblyPath, Describe(e)));
        }
#pragma warning disable CA1031 // The door of plugins.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Malfunctioned(manifest, folder, new PluginDiagnostic(PluginDiagnostic.RegistrationFailed, assemblyPath, Describe(e)));
        }

        if (registry.Problem is { } problem)
        {
            return Malfunctioned(manifest, folder, problem);
        }

        registry.Commit();
        return new PluginInfo(manifest.Name, manifest.Version, folder, PluginState.Loaded, null, registry.Names) { IsRequired = manifest.Required };
    }

    private static PluginInfo WrongContract(PluginManifest manifest, string folder, string path, int found) =>
        Failed(manifest.Name, manifest.Version, folder, PluginState.WrongContract, new PluginDiagnostic(
            PluginDiagnostic.WrongContract, path,
            $"The plugin was built against contract {found}; this runtime has contract {PluginContract.Version}. Build it against this runtime's Ernie.Abstractions."));

    private static PluginInfo Malfunctioned(PluginManifest manifest, string folder, PluginDiagnostic diagnostic) =>
        Failed(manifest.Name, manifest.Version, folder, PluginState.Malfunctioned, diagnostic);

    private static PluginInfo Failed(string name, string version, string folder, PluginState state, PluginDiagnostic diagnostic) =>
        new(name, version, folder, state, diagnostic, []);

    private static Exception Root(Exception e) => e is TargetInvocationException or TypeInitializationException && e.InnerException is { } inner ? Root(inner) : e;

    private static string Describe(Exception e)
    {
        Exception root = Root(e);
        return $"{root.GetType().Name}: {root.Message}";
    }

    // What is known of a plugin before any of its code runs.
    private sealed record OpenedPlugin(string Folder)
    {
        public PluginManifest? Manifest { get; init; }

        public PluginDiagnostic? Unreadable { get; init; }

        public ErniePluginAttribute? Attribute { get; init; }

        public Exception? Failure { get; init; }

        public string AssemblyPath => Path.GetFullPath(Path.Combine(Folder, Manifest?.Assembly ?? ""));
    }
}
