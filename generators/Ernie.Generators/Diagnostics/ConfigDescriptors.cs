using Microsoft.CodeAnalysis;

namespace Ernie.Generators;

/// <summary>The descriptors that Roslyn wants for <see cref="ConfigDiagnosticIds"/>.</summary>
internal static class ConfigDescriptors
{
    private const string Category = "Ernie.Configuration";
    private const string Documentation = "docs/diagnostics/";

    // Each descriptor is a field of its own: release tracking reads those.
    private static readonly DiagnosticDescriptor s_notJson = new(
        ConfigDiagnosticIds.NotJson, "The file is not JSON", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1001.md");

    private static readonly DiagnosticDescriptor s_missingKey = new(
        ConfigDiagnosticIds.MissingKey, "A key is missing", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1002.md");

    private static readonly DiagnosticDescriptor s_wrongType = new(
        ConfigDiagnosticIds.WrongType, "A value has the wrong type", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1003.md");

    private static readonly DiagnosticDescriptor s_notMultiple = new(
        ConfigDiagnosticIds.NotMultiple, "Heads or widths do not divide", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1004.md");

    private static readonly DiagnosticDescriptor s_outOfRange = new(
        ConfigDiagnosticIds.OutOfRange, "A number is out of range", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1005.md");

    private static readonly DiagnosticDescriptor s_unsupportedArchitecture = new(
        ConfigDiagnosticIds.UnsupportedArchitecture, "The architecture is not supported", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1006.md");

    private static readonly DiagnosticDescriptor s_unsupportedActivation = new(
        ConfigDiagnosticIds.UnsupportedActivation, "The activation is not supported", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1007.md");

    private static readonly DiagnosticDescriptor s_unsupportedBias = new(
        ConfigDiagnosticIds.UnsupportedBias, "Biases are not supported", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1008.md");

    private static readonly DiagnosticDescriptor s_unsupportedRope = new(
        ConfigDiagnosticIds.UnsupportedRope, "The scaling of positions is not supported", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1009.md");

    private static readonly DiagnosticDescriptor s_duplicateKey = new(
        ConfigDiagnosticIds.DuplicateKey, "A key is written twice", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1010.md");

    private static readonly DiagnosticDescriptor s_unsupportedQuantization = new(
        ConfigDiagnosticIds.UnsupportedQuantization, "The checkpoint is quantised already", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1011.md");

    private static readonly DiagnosticDescriptor s_conflict = new(
        ConfigDiagnosticIds.Conflict, "Two keys disagree", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1012.md");

    private static readonly DiagnosticDescriptor s_unsupportedElementType = new(
        ConfigDiagnosticIds.UnsupportedElementType, "The element type is not supported", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1013.md");

    private static readonly DiagnosticDescriptor s_invalidExperts = new(
        ConfigDiagnosticIds.InvalidExperts, "The mixture of experts does not fit together", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1014.md");

    private static readonly DiagnosticDescriptor s_duplicateModel = new(
        ConfigDiagnosticIds.DuplicateModel, "Two models have the same class", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1015.md");

    private static readonly DiagnosticDescriptor s_unsupportedModalities = new(
        ConfigDiagnosticIds.UnsupportedModalities, "Several modalities are not supported", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1016.md");

    private static readonly DiagnosticDescriptor s_unsupportedFeature = new(
        ConfigDiagnosticIds.UnsupportedFeature, "A feature is not supported", "{0}", Category, DiagnosticSeverity.Error, true, helpLinkUri: Documentation + "ERN1017.md");

    private static readonly DiagnosticDescriptor[] s_all =
    [
        s_notJson, s_missingKey, s_wrongType, s_notMultiple, s_outOfRange, s_unsupportedArchitecture, s_unsupportedActivation,
        s_unsupportedBias, s_unsupportedRope, s_duplicateKey, s_unsupportedQuantization, s_conflict, s_unsupportedElementType,
        s_invalidExperts, s_duplicateModel, s_unsupportedModalities, s_unsupportedFeature,
    ];

    /// <summary>Every descriptor.</summary>
    public static IReadOnlyList<DiagnosticDescriptor> All => s_all;

    /// <summary>The descriptor of an id.</summary>
    /// <param name="id">One of <see cref="ConfigDiagnosticIds"/>.</param>
    public static DiagnosticDescriptor Find(string id) => s_all.First(descriptor => descriptor.Id == id);
}
