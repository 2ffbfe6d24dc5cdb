using Ernie.Server.Api;
using Ernie.Server.Hosting;

namespace Ernie.Server.Endpoints;

/// <summary>What operators call; behind the admin key when one is set.</summary>
internal sealed class ControlEndpoints(ServerContext server)
{
    /// <summary><c>POST /v1/pause</c>: running requests go on, waiting ones wait.</summary>
    public Task PauseAsync(HttpContext context)
    {
        server.Engine.Pause();
        return JsonBody.WriteAsync(context, new StatusResponse("paused"), ServerJsonContext.Default.StatusResponse);
    }

    /// <summary><c>POST /v1/resume</c>.</summary>
    public Task ResumeAsync(HttpContext context)
    {
        server.Engine.Resume();
        return JsonBody.WriteAsync(context, new StatusResponse("running"), ServerJsonContext.Default.StatusResponse);
    }

    /// <summary><c>POST /v1/abort_requests</c>: answers how many were ended.</summary>
    public async Task AbortAsync(HttpContext context)
    {
        int ended = await server.Engine.AbortAllAsync().ConfigureAwait(false);
        await JsonBody.WriteAsync(context, new CountResponse(ended), ServerJsonContext.Default.CountResponse).ConfigureAwait(false);
    }

    /// <summary><c>POST /reset_prefix_cache</c>: answers how many pages came free.</summary>
    public async Task ResetPrefixCacheAsync(HttpContext context)
    {
        int pages = await server.Engine.ResetPrefixCacheAsync().ConfigureAwait(false);
        await JsonBody.WriteAsync(context, new CountResponse(pages), ServerJsonContext.Default.CountResponse).ConfigureAwait(false);
    }
}
