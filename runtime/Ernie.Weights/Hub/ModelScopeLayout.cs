using System.Text.Json;

namespace Ernie.Weights;

/// <summary>modelscope.cn: <c>/api/v1/models/{id}/repo/files</c> and <c>/api/v1/models/{id}/repo?FilePath=…</c>.</summary>
internal sealed class ModelScopeLayout : HubLayout
{
    public override string Name => "ModelScope";

    public override string DefaultEndpoint => "https://www.modelscope.cn";

    public override string DefaultRevision => "master";

    public override string EndpointVariable => "MODELSCOPE_ENDPOINT";

    public override string TokenVariable => "MODELSCOPE_API_TOKEN";

    public override string ListPath(string modelId, string revision) => $"/api/v1/models/{modelId}/repo/files?Revision={Uri.EscapeDataString(revision)}&Recursive=false";

    public override string FilePath(string modelId, string revision, string name) => $"/api/v1/models/{modelId}/repo?Revision={Uri.EscapeDataString(revision)}&FilePath={Uri.EscapeDataString(name)}";

    public override IEnumerable<HubFile> ParseList(JsonElement answer)
    {
        foreach (JsonElement file in Require(Require(answer, "Data", JsonValueKind.Object), "Files", JsonValueKind.Array).EnumerateArray())
        {
            if (OptionalText(file, "Type") == "tree")
                continue;
            string name = Require(file, "Path", JsonValueKind.String).GetString()!;   // Require has checked the kind
            yield return new HubFile(name, OptionalNumber(file, "Size"), OptionalText(file, "Sha256"));
        }
    }
}
