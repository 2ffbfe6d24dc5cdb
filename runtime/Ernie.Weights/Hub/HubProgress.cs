namespace Ernie.Weights;

/// <summary>How far a download has come.</summary>
/// <param name="File">The file being fetched.</param>
/// <param name="Bytes">Bytes of it that are on disk, those of an earlier attempt included.</param>
/// <param name="TotalBytes">Its size, or null when the hub does not say.</param>
public readonly record struct HubProgress(string File, long Bytes, long? TotalBytes);
