using System.Text.Json;
using Ernie.Server.Api;
using Ernie.Server.Hosting;
using Ernie.Server.Generation;
using Ernie.Server.Validation;
using Ernie.Server.Validation.Fields;

namespace Ernie.Server.Endpoints;

/// <summary><c>POST /tokenize</c> and <c>/detokenize</c>, in vLLM's shapes. They count among the requests that are served at once.</summary>
internal sealed class TokenizeEndpoints(ServerContext server)
{
    /// <summary>Text (<c>prompt</c>, or FastDeploy's <c>text</c>) or a conversation, with every field of a chat, to ids.</summary>
    public async Task TokenizeAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, server.Bodies).ConfigureAwait(false);
        using IDisposable slot = server.Admission.Enter();
        RequestDraft draft = Read(body, ApiEndpoints.Tokenize);
        IReadOnlyList<int> ids = await PromptBuilder.TokenizeAsync(draft, context.RequestAborted).ConfigureAwait(false);
        var answer = new TokenizeResponse(ids.Count, server.Engine.Info.MaxModelLength, ids)
        {
            TokenStrs = draft.ReturnTokenStrings ? [.. ids.Select(server.Tokenizer.GetPiece)] : null,
        };
        await JsonBody.WriteAsync(context, answer, ServerJsonContext.Default.TokenizeResponse).ConfigureAwait(false);
    }

    /// <summary>Ids to text; control tokens are spelled out.</summary>
    public async Task DetokenizeAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, server.Bodies).ConfigureAwait(false);
        using IDisposable slot = server.Admission.Enter();
        RequestDraft draft = Read(body, ApiEndpoints.Detokenize);
        FieldValue tokens = draft.Tokens ?? throw FieldError.Missing("tokens");
        int[] ids = tokens.TokenIds(server.Vocabulary, int.MaxValue);
        string text = server.Tokenizer.Decode(ids, draft.SkipSpecialTokens ?? false);
        await JsonBody.WriteAsync(context, new DetokenizeResponse(text), ServerJsonContext.Default.DetokenizeResponse).ConfigureAwait(false);
    }

    private RequestDraft Read(JsonDocument body, ApiEndpoints endpoint)
    {
        RequestDraft draft = RequestReader.Read(body.RootElement, endpoint, server);
        if (draft.Model is { } model)
            server.RequireModel(model);
        return draft;
    }
}
