using Ernie.Server.Api;
using Ernie.Server.Hosting;

namespace Ernie.Server.Endpoints;

/// <summary><c>GET /v1/models</c> and <c>/v1/models/{id}</c>.</summary>
internal sealed class ModelsEndpoints(ServerContext server)
{
    /// <summary>Lists the served names.</summary>
    public Task ListAsync(HttpContext context) =>
        JsonBody.WriteAsync(context, new ModelList([.. server.ModelNames.Select(Card)]), ServerJsonContext.Default.ModelList);

    /// <summary>Shows one; an id may hold slashes, as hub ids do, or have them percent-encoded, which the server leaves as they are.</summary>
    public Task ShowAsync(HttpContext context)
    {
        string id = (context.Request.RouteValues["id"] as string ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase).TrimEnd('/');
        if (id.Length == 0)
            return ListAsync(context);
        return JsonBody.WriteAsync(context, Card(server.RequireModel(id)), ServerJsonContext.Default.ModelCard);
    }

    private ModelCard Card(string name) => new(name, server.Created, server.Engine.Info.MaxModelLength, server.Engine.Info.ModelName);
}
