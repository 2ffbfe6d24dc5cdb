namespace Ernie.Hosting.Options;

/// <summary>What an option's value is.</summary>
public enum OptionKind
{
    /// <summary>Any text.</summary>
    Text,

    /// <summary>A whole number.</summary>
    WholeNumber,

    /// <summary>A number, decimal point, no thousands separators.</summary>
    Number,

    /// <summary>true or false; the flag alone is true, <c>--no-…</c> is false.</summary>
    Boolean,

    /// <summary>Text, repeatable; also separated by commas in a file or a variable.</summary>
    TextList,

    /// <summary>A JSON object.</summary>
    Json,
}
