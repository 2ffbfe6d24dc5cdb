namespace Ernie.Hosting.Options.Rows;

/// <summary>What is loaded besides the runtime.</summary>
public static class PluginRows
{
    private static readonly OptionRows s_rows = new(OptionGroup.Plugins);

    /// <summary>Directories with one folder per plugin, besides <c>plugins/</c> next to the program.</summary>
    public static Option<IReadOnlyList<string>> Directories { get; } = s_rows.TextList(
        "plugin-dir", "Directory with one folder per plugin, besides plugins/ next to the program; repeatable.");

    /// <summary>Name of the cache policy.</summary>
    public static Option<string> CachePolicy { get; } = s_rows.Text("cache-policy", "Cache policy (plugin) of the prefix cache.", "radix-lru");

    /// <summary>Settings of the cache policy, name=value; <see cref="CachePolicySettings"/> splits them.</summary>
    public static Option<IReadOnlyList<string>> CachePolicyOptions { get; } = s_rows.TextList(
        "cache-policy-option", "Setting of the cache policy, name=value; repeatable.",
        fault: text => text.IndexOf('=', StringComparison.Ordinal) > 0 ? null : "must be name=value");

    /// <summary>The rows, in the help's order.</summary>
    public static IReadOnlyList<OptionDefinition> All => s_rows.All;

    /// <summary>The cache policy's settings; of those with the same name the last one.</summary>
    /// <param name="options">The options.</param>
    public static IReadOnlyDictionary<string, string> CachePolicySettings(OptionSet options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string text in options.Get(CachePolicyOptions))
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            settings[text[..equals]] = text[(equals + 1)..];
        }

        return settings;
    }
}
