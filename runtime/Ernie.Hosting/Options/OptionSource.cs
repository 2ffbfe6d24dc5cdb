namespace Ernie.Hosting.Options;

/// <summary>Where a value came from; a later one wins over an earlier one.</summary>
public enum OptionSource
{
    /// <summary>The table's default.</summary>
    Default,

    /// <summary>The configuration file.</summary>
    File,

    /// <summary>The environment.</summary>
    Environment,

    /// <summary>The command line.</summary>
    CommandLine,

    /// <summary>The program itself, by <see cref="OptionSet.With{T}"/>.</summary>
    Program,
}
