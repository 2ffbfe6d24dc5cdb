namespace Ernie.Server.Validation.Fields;

/// <summary>The JSON that a field takes.</summary>
internal enum FieldKind
{
    /// <summary>true or false.</summary>
    Flag,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A string.</summary>
    Text,

    /// <summary>An array.</summary>
    List,

    /// <summary>An object.</summary>
    Map,

    /// <summary>A string, or something with more structure; never a boolean.</summary>
    Mixed,
}
