namespace Ernie.Weights;

/// <summary>A file of a model on its hub.</summary>
/// <param name="Name">File name; files in sub-folders are not used.</param>
/// <param name="Size">Bytes, or null when the hub does not say.</param>
/// <param name="Sha256">Lower-case hexadecimal, or null when the hub does not say.</param>
internal sealed record HubFile(string Name, long? Size, string? Sha256);
