using System.Text.Json;

namespace Ernie.Weights;

/// <summary>git.aistudio.baidu.com, a Gitea server: <c>/api/v1/repos/{id}/git/trees/{revision}</c> and <c>/api/v1/repos/{id}/media/{file}</c>.</summary>
/// <remarks>Gitea lists the size of a large file's pointer, not of the file; the true checksum comes as ETag with the file.</remarks>
internal sealed class AiStudioLayout : HubLayout
{
    // A Git LFS pointer is about 130 bytes; the specification allows 1024.
    private const long MaxPointerBytes = 1024;

    public override string Name => "AI Studio";

    public override string DefaultEndpoint => "https://git.aistudio.baidu.com";

    public override string DefaultRevision => "master";

    public override string EndpointVariable => "AISTUDIO_ENDPOINT";

    public override string TokenVariable => "AISTUDIO_ACCESS_TOKEN";

    public override string ListPath(string modelId, string revision) => $"/api/v1/repos/{modelId}/git/trees/{Uri.EscapeDataString(revision)}";

    public override string FilePath(string modelId, string revision, string name) => $"/api/v1/repos/{modelId}/media/{Uri.EscapeDataString(name)}?ref={Uri.EscapeDataString(revision)}";

    public override IEnumerable<HubFile> ParseList(JsonElement answer)
    {
        foreach (JsonElement file in Require(answer, "tree", JsonValueKind.Array).EnumerateArray())
        {
            if (OptionalText(file, "type") != "blob")
                continue;
            string name = Require(file, "path", JsonValueKind.String).GetString()!;   // Require has checked the kind
            long? size = OptionalNumber(file, "size");
            yield return new HubFile(name, size <= MaxPointerBytes ? null : size, null);
        }
    }
}
