using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Ernie.Weights.Tests;

/// <summary>A hub on the loopback interface that speaks all three layouts and misbehaves on demand.</summary>
internal sealed class FakeHub : IAsyncDisposable
{
    public const string ModelId = "baidu/ERNIE-4.5-0.3B-PT";

    private readonly HttpListener _listener;
    private readonly Task _loop;

    public FakeHub()
    {
        (_listener, Endpoint) = Listen();
        _loop = RunAsync();
    }

    public string Endpoint { get; }

    /// <summary>Files of the model by name.</summary>
    public Dictionary<string, byte[]> Files { get; } = new()
    {
        ["config.json"] = Encoding.UTF8.GetBytes("""{"model_type": "ernie4_5"}"""),
        ["tokenizer.model"] = [.. Enumerable.Range(0, 3000).Select(value => (byte)(value * 7))],
        ["model.safetensors"] = [.. Enumerable.Range(0, 2_000_000).Select(value => (byte)(value * 31 + value / 997))],
        ["README.md"] = Encoding.UTF8.GetBytes("not needed"),
        [".gitattributes"] = [],
        ["../escape.json"] = Encoding.UTF8.GetBytes("must not be written"),
    };

    /// <summary>"METHOD path range" of each request.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Status for everything, when not 200.</summary>
    public int Status { get; set; } = 200;

    /// <summary>Bytes of model.safetensors sent before the connection breaks, by how many answers are still to break.</summary>
    public int BreakAfterBytes { get; set; }

    public int AnswersToBreak { get; set; }

    public bool IgnoresRanges { get; set; }

    /// <summary>Checksum listed for model.safetensors; null for the true one.</summary>
    public string? ListedSha256 { get; set; }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _loop;
    }

    // A listener cannot ask for any free port, and a port found free may be another program's a moment later.
    private static (HttpListener Listener, string Endpoint) Listen()
    {
        for (int attempt = 1; ; attempt++)
        {
            string endpoint = $"http://127.0.0.1:{FreePort()}";
            var listener = new HttpListener();
            try
            {
                listener.Prefixes.Add(endpoint + "/");
                listener.Start();
                return (listener, endpoint);
            }
            catch (Exception error) when (attempt < 20 && error is HttpListenerException or SocketException)
            {
                listener.Close();
            }
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private async Task RunAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            try
            {
                Answer(context);
            }
            catch (Exception error) when (error is HttpListenerException or IOException or ObjectDisposedException)
            {
                // The client hung up, as some tests do.
            }
        }
    }

    private void Answer(HttpListenerContext context)
    {
        string path = context.Request.RawUrl!;
        Requests.Enqueue($"{path} {context.Request.Headers["Range"]}".Trim());
        string? listing = path switch
        {
            $"/api/models/{ModelId}/revision/main?blobs=true" => ListHuggingFace(),
            $"/api/v1/models/{ModelId}/repo/files?Revision=master&Recursive=false" => ListModelScope(),
            $"/api/v1/repos/{ModelId}/git/trees/master" => ListGitea(),
            _ => null,
        };
        string? name = Files.Keys.FirstOrDefault(file => path == $"/{ModelId}/resolve/main/{file}"
            || path == $"/api/v1/models/{ModelId}/repo?Revision=master&FilePath={file}" || path == $"/api/v1/repos/{ModelId}/media/{file}?ref=master");
        if (Status != 200 || (listing is null && name is null))
        {
            context.Response.StatusCode = Status == 200 ? 404 : Status;
            context.Response.Close();
        }
        else if (listing is not null)
        {
            context.Response.Close(Encoding.UTF8.GetBytes(listing), willBlock: true);
        }
        else
        {
            SendFile(context, name!, isGitea: path.Contains("/media/", StringComparison.Ordinal));   // one of the two is not null
        }
    }

    private void SendFile(HttpListenerContext context, string name, bool isGitea)
    {
        byte[] content = Files[name];
        int start = 0;
        if (context.Request.Headers["Range"] is { } range && !IgnoresRanges)
        {
            start = int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture);
            context.Response.StatusCode = 206;
            context.Response.Headers["Content-Range"] = $"bytes {start}-{content.Length - 1}/{content.Length}";
        }
        if (isGitea)
            context.Response.Headers["ETag"] = $"\"{(name == "model.safetensors" ? ListedSha256 : null) ?? Sha256(content)}\"";
        context.Response.ContentLength64 = content.Length - start;
        if (name == "model.safetensors" && AnswersToBreak > 0)
        {
            AnswersToBreak--;
            context.Response.OutputStream.Write(content, start, Math.Min(BreakAfterBytes, content.Length - start));
            context.Response.OutputStream.Flush();
            context.Response.Abort();
            return;
        }
        context.Response.OutputStream.Write(content, start, content.Length - start);
        context.Response.Close();
    }

    private string ListHuggingFace() => $$"""{"sha": "abc", "siblings": [{{string.Join(",", Files.Select(file => file.Key.EndsWith(".safetensors", StringComparison.Ordinal)
        ? $$"""{"rfilename": "{{file.Key}}", "size": 130, "lfs": {"sha256": "{{ListedSha256 ?? Sha256(file.Value)}}", "size": {{file.Value.Length}} } }"""
        : $$"""{"rfilename": "{{file.Key}}", "size": {{file.Value.Length}}}"""))}}]}""";

    private string ListModelScope() => $$"""{"Code": 200, "Data": {"Files": [{"Type": "tree", "Path": "sub.json"}, {{string.Join(",", Files.Select(file =>
        $$"""{"Type": "blob", "Path": "{{file.Key}}", "Size": {{file.Value.Length}}, "Sha256": "{{(file.Key == "model.safetensors" ? ListedSha256 : null) ?? Sha256(file.Value)}}"}"""))}}] } }""";

    // As Gitea: a large file is listed with the size of its pointer.
    private string ListGitea() => $$"""{"sha": "abc", "tree": [{"path": "sub.json", "type": "tree"}, {{string.Join(",", Files.Select(file =>
        $$"""{"path": "{{file.Key}}", "type": "blob", "size": {{Math.Min(file.Value.Length, 130)}}}"""))}}]}""";

    private static string Sha256(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
