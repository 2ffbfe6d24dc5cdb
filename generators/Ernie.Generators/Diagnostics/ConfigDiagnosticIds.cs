namespace Ernie.Generators;

/// <summary>Ids of what can be wrong with a config.json; each has a page in <c>docs/diagnostics</c>.</summary>
public static class ConfigDiagnosticIds
{
    /// <summary>The file is not JSON.</summary>
    public const string NotJson = "ERN1001";

    /// <summary>A key is missing.</summary>
    public const string MissingKey = "ERN1002";

    /// <summary>A value has the wrong type.</summary>
    public const string WrongType = "ERN1003";

    /// <summary>Numbers of heads and widths do not divide one another.</summary>
    public const string NotMultiple = "ERN1004";

    /// <summary>A number is out of range.</summary>
    public const string OutOfRange = "ERN1005";

    /// <summary>The architecture is not one of ERNIE 4.5's text models.</summary>
    public const string UnsupportedArchitecture = "ERN1006";

    /// <summary>The activation is not silu.</summary>
    public const string UnsupportedActivation = "ERN1007";

    /// <summary>The projections have biases.</summary>
    public const string UnsupportedBias = "ERN1008";

    /// <summary>Rotary positions are scaled in a way that is not built.</summary>
    public const string UnsupportedRope = "ERN1009";

    /// <summary>A key is written twice.</summary>
    public const string DuplicateKey = "ERN1010";

    /// <summary>The checkpoint is quantised already.</summary>
    public const string UnsupportedQuantization = "ERN1011";

    /// <summary>Two keys say different things about one number.</summary>
    public const string Conflict = "ERN1012";

    /// <summary>The element type of the weights is not one that is read.</summary>
    public const string UnsupportedElementType = "ERN1013";

    /// <summary>Numbers of the mixture of experts do not fit together.</summary>
    public const string InvalidExperts = "ERN1014";

    /// <summary>Two models would be given the same class.</summary>
    public const string DuplicateModel = "ERN1015";

    /// <summary>A list gives several modalities different numbers.</summary>
    public const string UnsupportedModalities = "ERN1016";

    /// <summary>A key changes the forward pass in a way that is not built.</summary>
    public const string UnsupportedFeature = "ERN1017";
}
