using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Ernie.Hosting;
using Ernie.Server.Hosting;
using Ernie.Server.Tests.Fakes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ernie.Server.Tests;

/// <summary>The real pipeline on Kestrel and a free loopback port, so that flushes, disconnects and statuses are what a client sees.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private TestServer(WebApplication application, ServerContext context, FakeEngine? engine, Uri address)
    {
        _application = application;
        Context = context;
        MaybeEngine = engine;
        Client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(2) };
    }

    public ServerContext Context { get; }

    public IServiceProvider Services => _application.Services;

    public FakeEngine Engine => MaybeEngine ?? throw new InvalidOperationException("This server runs a real engine.");

    public HttpClient Client { get; }

    private FakeEngine? MaybeEngine { get; }

    public static async Task<TestServer> StartAsync(Action<FakeEngine>? configure = null, Func<ServerOptions, ServerOptions>? options = null, Func<FakeHost, FakeHost>? host = null, TimeProvider? clock = null, LogCollector? logs = null)
    {
        var engine = new FakeEngine();
        configure?.Invoke(engine);
        var fakeHost = new FakeHost(engine);
        return await StartAsync(host?.Invoke(fakeHost) ?? fakeHost, engine, options, clock, logs);
    }

    public static async Task<TestServer> StartAsync(
        IHostContext host, FakeEngine? engine = null, Func<ServerOptions, ServerOptions>? options = null, TimeProvider? clock = null, LogCollector? logs = null)
    {
        var settings = new ServerOptions { Port = 0 };
        var context = new ServerContext(host, options?.Invoke(settings) ?? settings, clock);
        WebApplication application = ServerApplication.Build(context, logging =>
        {
            if (logs is not null)
                logging.AddProvider(logs);
        });
        await application.StartAsync();
        string address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new TestServer(application, context, engine, new Uri(address));
    }

    public Task<Answer> ChatAsync(string fields) => PostAsync("/v1/chat/completions", With("""{"messages":[{"role":"user","content":"hello"}]}""", fields));

    public Task<Answer> CompleteAsync(string fields) => PostAsync("/v1/completions", With("""{"prompt":"hello"}""", fields));

    public async Task<Answer> PostAsync(string path, string body, string contentType = "application/json")
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        using HttpResponseMessage response = await Client.PostAsync(path, content);
        return await Answer.ReadAsync(response);
    }

    public async Task<Answer> GetAsync(string path)
    {
        using HttpResponseMessage response = await Client.GetAsync(path);
        return await Answer.ReadAsync(response);
    }

    /// <summary>Sends a request with headers that the typed ones would refuse.</summary>
    public async Task<Answer> SendAsync(HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        foreach ((string name, string value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        using HttpResponseMessage response = await Client.SendAsync(request);
        return await Answer.ReadAsync(response);
    }

    /// <summary>Opens a stream without reading it.</summary>
    public async Task<HttpResponseMessage> OpenAsync(string path, string body, CancellationToken cancellationToken = default)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    public Task<SseStream> StreamChatAsync(string fields) =>
        StreamAsync("/v1/chat/completions", With("""{"stream":true,"messages":[{"role":"user","content":"hello"}]}""", fields));

    public Task<SseStream> StreamCompleteAsync(string fields) =>
        StreamAsync("/v1/completions", With("""{"stream":true,"prompt":"hello"}""", fields));

    public async Task<SseStream> StreamAsync(string path, string body)
    {
        using HttpResponseMessage response = await OpenAsync(path, body);
        return await SseStream.ReadAsync(response);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _application.StopAsync();
        await _application.DisposeAsync();
        Context.Dispose();
    }

    private static string With(string defaults, string fields)
    {
        JsonObject body = JsonNode.Parse(defaults)!.AsObject();
        foreach ((string name, JsonNode? value) in JsonNode.Parse($"{{{fields}}}")!.AsObject())
            body[name] = value?.DeepClone();
        return body.ToJsonString();
    }
}

/// <summary>A whole answer.</summary>
internal sealed record Answer(HttpStatusCode Status, string Text, HttpResponseMessage Response)
{
    public JsonNode Json => JsonNode.Parse(Text)!;

    public string Content => Json["choices"]![0]!["message"]!["content"]!.GetValue<string>();

    public string FirstText => Json["choices"]![0]!["text"]!.GetValue<string>();

    public JsonNode Choice(int index = 0) => Json["choices"]![index]!;

    public static async Task<Answer> ReadAsync(HttpResponseMessage response) =>
        new(response.StatusCode, await response.Content.ReadAsStringAsync(), response);

    /// <summary>Asserts an error of OpenAI's shape.</summary>
    public void AssertError(HttpStatusCode status, string? parameter = null, string? code = null)
    {
        Assert.True(Status == status, $"{Status}: {Text}");
        JsonObject error = Json["error"]!.AsObject();
        Assert.Equal(["code", "message", "param", "type"], error.Select(entry => entry.Key).Order());
        Assert.False(string.IsNullOrEmpty(error["message"]!.GetValue<string>()));
        Assert.False(string.IsNullOrEmpty(error["type"]!.GetValue<string>()));
        if (parameter is not null)
            Assert.Equal(parameter, error["param"]?.GetValue<string>());
        if (code is not null)
            Assert.Equal(code, error["code"]?.GetValue<string>());
    }
}
