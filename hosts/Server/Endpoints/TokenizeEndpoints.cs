using System.Text.Json;
using Ernie.Server.Api;
using Ernie.Server.Errors;
using Ernie.Server.Hosting;
using Ernie.Server.Validation;

namespace Ernie.Server.Endpoints;

/// <summary><c>POST /tokenize</c> and <c>/detokenize</c>, in vLLM's shapes.</summary>
internal sealed class TokenizeEndpoints(ServerContext server)
{
    /// <summary>Text (<c>prompt</c>, or FastDeploy's <c>text</c>) or a conversation to ids.</summary>
    public async Task TokenizeAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, server.Bodies).ConfigureAwait(false);
        var fields = new RequestFields(body.RootElement);
        CheckModel(fields);
        IReadOnlyList<int> ids = await EncodeAsync(fields, context.RequestAborted).ConfigureAwait(false);
        var answer = new TokenizeResponse(ids.Count, server.Engine.Info.MaxModelLength, ids)
        {
            TokenStrs = fields.Flag("return_token_strs") ? [.. ids.Select(server.Tokenizer.GetPiece)] : null,
        };
        await JsonBody.WriteAsync(context, answer, ServerJsonContext.Default.TokenizeResponse).ConfigureAwait(false);
    }

    /// <summary>Ids to text; control tokens are spelled out.</summary>
    public async Task DetokenizeAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, server.Bodies).ConfigureAwait(false);
        var fields = new RequestFields(body.RootElement);
        CheckModel(fields);
        IReadOnlyList<int> ids = fields.TokenIds("tokens", server.Vocabulary)
            ?? throw ApiException.Invalid("tokens", "'tokens' is required.", "missing_required_parameter");
        string text = server.Tokenizer.Decode([.. ids], fields.Flag("skip_special_tokens"));
        await JsonBody.WriteAsync(context, new DetokenizeResponse(text), ServerJsonContext.Default.DetokenizeResponse).ConfigureAwait(false);
    }

    private void CheckModel(RequestFields fields)
    {
        if (fields.Text("model") is { } model)
            server.RequireModel(model);
    }

    private async Task<IReadOnlyList<int>> EncodeAsync(RequestFields fields, CancellationToken cancellationToken)
    {
        if (fields.TryGet("messages", out _))
        {
            return await server.EncodeChatAsync(
                MessageReader.Read(fields), fields.Flag("add_generation_prompt", otherwise: true), ChatRequest.ReadTemplateArguments(fields), cancellationToken).ConfigureAwait(false);
        }

        string text = fields.Text("prompt") ?? fields.Text("text")
            ?? throw ApiException.Invalid("prompt", "'prompt' or 'messages' is required.", "missing_required_parameter");
        return server.Tokenizer.Encode(text);
    }
}
