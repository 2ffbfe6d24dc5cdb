namespace Ernie.Graph;

/// <summary>Ids of the graph's rules; each has a page in <c>docs/diagnostics</c>.</summary>
public static class GraphDiagnosticIds
{
    /// <summary>A value is read before it is defined, or does not exist.</summary>
    public const string UndefinedValue = "ERN2001";

    /// <summary>A value is defined twice.</summary>
    public const string RedefinedValue = "ERN2002";

    /// <summary>Widths of an operation's values disagree.</summary>
    public const string WidthMismatch = "ERN2003";

    /// <summary>Row axes of an operation's values disagree.</summary>
    public const string RowAxisMismatch = "ERN2004";

    /// <summary>A weight does not fit the values it works on.</summary>
    public const string WeightShapeMismatch = "ERN2005";

    /// <summary>A slice leaves its input.</summary>
    public const string SliceOutOfRange = "ERN2006";

    /// <summary>Heads do not divide as attention and rotation need.</summary>
    public const string InvalidHeads = "ERN2007";

    /// <summary>The cache layers are not each used once.</summary>
    public const string CacheLayerMismatch = "ERN2008";

    /// <summary>An output of the graph is missing or of the wrong type.</summary>
    public const string InvalidOutput = "ERN2009";

    /// <summary>A tensor is used with two shapes.</summary>
    public const string TensorShapeConflict = "ERN2010";

    /// <summary>A weight's encoding does not divide it.</summary>
    public const string EncodingMismatch = "ERN2011";

    /// <summary>No output of an operation is read.</summary>
    public const string DeadNode = "ERN2012";

    /// <summary>Element types of an operation's values disagree.</summary>
    public const string ElementTypeMismatch = "ERN2013";

    /// <summary>Numbers of a router or of experts are out of range.</summary>
    public const string InvalidExperts = "ERN2014";

    /// <summary>A graph cannot be cut into the parts that were asked for.</summary>
    public const string InvalidShard = "ERN2015";
}
