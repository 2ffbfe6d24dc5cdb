namespace Ernie.Hosting.Options;

/// <summary>Where weights come from.</summary>
public enum LoadFormat
{
    /// <summary>The checkpoint's files.</summary>
    Auto,

    /// <summary>A formula, for measurements without a checkpoint.</summary>
    Dummy,
}
