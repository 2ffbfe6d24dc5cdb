using System.Text.Json;

namespace Ernie.Weights;

/// <summary>huggingface.co: <c>/api/models/{id}/revision/{revision}?blobs=true</c> and <c>/{id}/resolve/{revision}/{file}</c>.</summary>
internal sealed class HuggingFaceLayout : HubLayout
{
    public override string Name => "HuggingFace";

    public override string DefaultEndpoint => "https://huggingface.co";

    public override string DefaultRevision => "main";

    public override string EndpointVariable => "HF_ENDPOINT";

    public override string TokenVariable => "HF_TOKEN";

    public override string ListPath(string modelId, string revision) => $"/api/models/{modelId}/revision/{Uri.EscapeDataString(revision)}?blobs=true";

    public override string FilePath(string modelId, string revision, string name) => $"/{modelId}/resolve/{Uri.EscapeDataString(revision)}/{Uri.EscapeDataString(name)}";

    public override IEnumerable<HubFile> ParseList(JsonElement answer)
    {
        foreach (JsonElement file in Require(answer, "siblings", JsonValueKind.Array).EnumerateArray())
        {
            string name = Require(file, "rfilename", JsonValueKind.String).GetString()!;   // Require has checked the kind
            bool isLarge = file.TryGetProperty("lfs", out JsonElement lfs) && lfs.ValueKind == JsonValueKind.Object;
            yield return new HubFile(name, (isLarge ? OptionalNumber(lfs, "size") : null) ?? OptionalNumber(file, "size"), isLarge ? OptionalText(lfs, "sha256") : null);
        }
    }
}
