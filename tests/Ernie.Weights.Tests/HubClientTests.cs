using System.Net;
using System.Net.Sockets;

namespace Ernie.Weights.Tests;

public sealed class HubClientTests : IAsyncDisposable
{
    private const string Wrong = "0000000000000000000000000000000000000000000000000000000000000000";

    private readonly FakeHub _hub = new();
    private readonly HttpClient _http = new();
    private readonly TemporaryFolder _cache = new();

    [Theory]
    [InlineData(HubSource.HuggingFace)]
    [InlineData(HubSource.ModelScope)]
    [InlineData(HubSource.AiStudio)]
    public async Task Download_EachHub_BringsTheWantedFilesAndAsksNoSecondTime(HubSource source)
    {
        HubClient client = Client(source);

        string folder = await client.DownloadAsync(FakeHub.ModelId);

        Assert.Equal(["config.json", "model.safetensors", "tokenizer.model"], FilesIn(folder));
        foreach (string name in FilesIn(folder))
            Assert.Equal(_hub.Files[name], await File.ReadAllBytesAsync(Path.Combine(folder, name)));
        int requests = _hub.Requests.Count;
        Assert.Equal(folder, await client.DownloadAsync(FakeHub.ModelId));
        Assert.Equal(requests, _hub.Requests.Count);
        Assert.Empty(Directory.GetFiles(_cache.Path, "escape.json", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Download_BreakingOff_ResumesWhereItStopped(bool ignoresRanges)
    {
        (_hub.BreakAfterBytes, _hub.AnswersToBreak, _hub.IgnoresRanges) = (500_000, 2, ignoresRanges);

        string folder = await Client(HubSource.HuggingFace).DownloadAsync(FakeHub.ModelId);

        Assert.Equal(_hub.Files["model.safetensors"], await File.ReadAllBytesAsync(Path.Combine(folder, "model.safetensors")));
        string[] requests = [.. _hub.Requests.Where(request => request.Contains("model.safetensors", StringComparison.Ordinal))];
        Assert.Equal(3, requests.Length);
        Assert.DoesNotContain("bytes=", requests[0], StringComparison.Ordinal);
        Assert.Matches("bytes=[1-9][0-9]*-$", requests[1]);
        Assert.Matches("bytes=[1-9][0-9]*-$", requests[2]);
    }

    [Fact]
    public async Task Download_AlwaysBreakingOff_SaysSoAndTheNextRunResumes()
    {
        (_hub.BreakAfterBytes, _hub.AnswersToBreak) = (300_000, 4);
        HubClient client = Client(HubSource.HuggingFace);

        var error = await Assert.ThrowsAsync<HubException>(() => client.DownloadAsync(FakeHub.ModelId));
        _hub.Requests.Clear();
        string folder = await client.DownloadAsync(FakeHub.ModelId);

        Assert.Contains("run again to resume", error.Message, StringComparison.Ordinal);
        Assert.Equal(_hub.Files["model.safetensors"], await File.ReadAllBytesAsync(Path.Combine(folder, "model.safetensors")));
        Assert.Contains(_hub.Requests, request => request.Contains("model.safetensors bytes=", StringComparison.Ordinal));
        Assert.DoesNotContain(_hub.Requests, request => request.Contains("tokenizer.model", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(HubSource.HuggingFace)]
    [InlineData(HubSource.ModelScope)]
    [InlineData(HubSource.AiStudio)]
    public async Task Download_WrongChecksum_IsRefusedAndDeleted(HubSource source)
    {
        _hub.ListedSha256 = Wrong;
        HubClient client = Client(source);

        var error = await Assert.ThrowsAsync<HubException>(() => client.DownloadAsync(FakeHub.ModelId));

        Assert.Contains("'model.safetensors' arrived damaged: 2000000 bytes with SHA-256", error.Message, StringComparison.Ordinal);
        Assert.Contains(Wrong, error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_cache.Path, "model.safetensors*", SearchOption.AllDirectories));
        _hub.ListedSha256 = null;
        Assert.Contains("model.safetensors", FilesIn(await client.DownloadAsync(FakeHub.ModelId)));
    }

    [Theory]
    [InlineData(401, "HuggingFace refuses 'baidu/ERNIE-4.5-0.3B-PT' (401): the model is private, gated or misspelt. Set HF_TOKEN")]
    [InlineData(403, "HuggingFace refuses 'baidu/ERNIE-4.5-0.3B-PT' (403)")]
    [InlineData(404, "HuggingFace has no model 'baidu/ERNIE-4.5-0.3B-PT' with revision 'main' (404")]
    [InlineData(500, "answered 500 for 'baidu/ERNIE-4.5-0.3B-PT'")]
    public async Task Download_HubRefuses_SaysWhatWouldWork(int status, string message)
    {
        _hub.Status = status;

        var error = await Assert.ThrowsAsync<HubException>(() => Client(HubSource.HuggingFace).DownloadAsync(FakeHub.ModelId));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Download_NobodyListens_SaysWhatWorksWithoutANetwork()
    {
        // A port that is taken and has no listener: nobody else can begin to answer there.
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        string endpoint = $"http://{taken.LocalEndPoint}";

        var error = await Assert.ThrowsAsync<HubException>(() => Client(HubSource.ModelScope, endpoint).DownloadAsync(FakeHub.ModelId));

        Assert.Contains($"{endpoint} cannot be reached", error.Message, StringComparison.Ordinal);
        Assert.Contains("give --model a folder", error.Message, StringComparison.Ordinal);
        Assert.Contains("MODELSCOPE_ENDPOINT", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Download_OfflineByWish_UsesTheCacheAlone()
    {
        HubOptions options = Options(HubSource.HuggingFace, _hub.Endpoint);
        var client = new HubClient(_http, options);
        options.Offline = true;

        var error = await Assert.ThrowsAsync<HubException>(() => client.DownloadAsync(FakeHub.ModelId));
        options.Offline = false;
        string folder = await client.DownloadAsync(FakeHub.ModelId);
        options.Offline = true;

        Assert.Contains("HF_HUB_OFFLINE", error.Message, StringComparison.Ordinal);
        Assert.Equal(folder, await client.DownloadAsync(FakeHub.ModelId));
    }

    [Fact]
    public async Task Download_Cancelled_StopsAndKeepsThePart()
    {
        using var cancellation = new CancellationTokenSource();
        var progress = new ImmediateProgress(report =>
        {
            if (report.File == "model.safetensors")
                cancellation.Cancel();
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Client(HubSource.HuggingFace).DownloadAsync(FakeHub.ModelId, progress: progress, cancellationToken: cancellation.Token));

        Assert.Single(Directory.GetFiles(_cache.Path, "model.safetensors.*.partial", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Download_Progress_EndsAtTheSizeOfEachFile()
    {
        var reports = new List<HubProgress>();

        await Client(HubSource.HuggingFace).DownloadAsync(FakeHub.ModelId, progress: new ImmediateProgress(reports.Add));

        Assert.Equal(new HubProgress("model.safetensors", 2_000_000, 2_000_000), reports[^1]);
        Assert.Equal(["config.json", "tokenizer.model", "model.safetensors"], reports.Select(report => report.File).Distinct());
    }

    [Theory]
    [InlineData("baidu", "main")]
    [InlineData("a/b/c", "main")]
    [InlineData("../b", "main")]
    [InlineData("a/..", "main")]
    [InlineData("a/b", "..")]
    [InlineData("a/b", "x y")]
    public async Task Download_NotAnId_IsRefusedBeforeAnyRequest(string modelId, string revision)
    {
        await Assert.ThrowsAsync<HubException>(() => Client(HubSource.HuggingFace).DownloadAsync(modelId, revision));

        Assert.Empty(_hub.Requests);
    }

    [Fact]
    public void FromEnvironment_VariablesOfEachHub_AreRead()
    {
        var variables = new Dictionary<string, string?>
        {
            ["FD_MODEL_SOURCE"] = "MODELSCOPE", ["FD_MODEL_CACHE"] = "/cache", ["MODELSCOPE_ENDPOINT"] = "https://m", ["HF_ENDPOINT"] = "https://h", ["HF_TOKEN"] = "t",
        };

        HubOptions modelScope = HubOptions.FromEnvironment(variable: name => variables.GetValueOrDefault(name));
        HubOptions huggingFace = HubOptions.FromEnvironment("huggingface", "/other", name => variables.GetValueOrDefault(name));

        Assert.Equal((HubSource.ModelScope, "/cache", "https://m", null), (modelScope.Source, modelScope.CacheFolder, modelScope.Endpoint, modelScope.Token));
        Assert.Equal((HubSource.HuggingFace, "/other", "https://h", "t"), (huggingFace.Source, huggingFace.CacheFolder, huggingFace.Endpoint, huggingFace.Token));
        Assert.Throws<HubException>(() => HubOptions.FromEnvironment("GITHUB"));
    }

    [Theory]
    [InlineData("HF_HUB_CACHE", "")]
    [InlineData("HUGGINGFACE_HUB_CACHE", "")]
    [InlineData("HF_HOME", "hub")]
    [InlineData("XDG_CACHE_HOME", "huggingface/hub")]
    public async Task Download_OfflineWithTheCacheOfTheHubsOwnClient_FindsEveryRevision(string variable, string hub)
    {
        const string Commit = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32";
        string model = Path.Combine(_cache.Path, hub, "models--baidu--ERNIE-4.5-0.3B-PT");
        string blob = _cache.Write(Path.Combine(model, "blobs", "5f3e"), """{"model_type": "ernie4_5"}""");
        string snapshot = Directory.CreateDirectory(Path.Combine(model, "snapshots", Commit)).FullName;
        File.CreateSymbolicLink(Path.Combine(snapshot, "config.json"), Path.GetRelativePath(snapshot, blob));
        _cache.Write(Path.Combine(model, "refs", "main"), Commit);
        _cache.Write(Path.Combine(model, "refs", "pr", "1"), Commit + "\n");
        HubOptions options = HubOptions.FromEnvironment(cacheFolder: _cache.File("own"), variable: name => name == variable ? _cache.Path : name == "HF_HUB_OFFLINE" ? "1" : null);
        var client = new HubClient(_http, options);

        foreach (string? revision in (string?[])[null, "main", "pr/1", Commit]) Assert.Equal(snapshot, await client.DownloadAsync(FakeHub.ModelId, revision));

        var noRevision = await Assert.ThrowsAsync<HubException>(() => client.DownloadAsync(FakeHub.ModelId, "v2"));
        var noModel = await Assert.ThrowsAsync<HubException>(() => client.DownloadAsync("baidu/other"));
        Assert.Contains("revisions there: main, pr/1", noRevision.Message, StringComparison.Ordinal);
        Assert.Contains("models--baidu--other, revisions there: none", noModel.Message, StringComparison.Ordinal);
        Assert.Contains("HF_HUB_OFFLINE", noModel.Message, StringComparison.Ordinal);
        Assert.Empty(_hub.Requests);
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("ON", true)]
    [InlineData("yes", true)]
    [InlineData("True", true)]
    [InlineData("0", false)]
    [InlineData("", false)]
    public void FromEnvironment_Offline_IsReadAsTheHubsOwnClientDoes(string value, bool offline)
    {
        Assert.Equal(offline, HubOptions.FromEnvironment(variable: name => name == "HF_HUB_OFFLINE" ? value : null).Offline);
        Assert.Equal(offline, HubOptions.FromEnvironment(variable: name => name == "TRANSFORMERS_OFFLINE" ? value : null).Offline);
    }

    [Fact]
    public async Task Download_ReferenceThatLeadsElsewhere_IsNotFollowed()
    {
        string model = Path.Combine(_cache.Path, "models--baidu--ERNIE-4.5-0.3B-PT");
        _cache.Write(Path.Combine(model, "refs", "main"), "../../elsewhere");
        Directory.CreateDirectory(Path.Combine(model, "elsewhere"));
        HubOptions options = HubOptions.FromEnvironment(cacheFolder: _cache.File("own"), variable: name => name is "HF_HUB_CACHE" ? _cache.Path : name == "HF_HUB_OFFLINE" ? "1" : null);

        await Assert.ThrowsAsync<HubException>(() => new HubClient(_http, options).DownloadAsync(FakeHub.ModelId));
    }

    [Theory]
    [InlineData("/proc/ernie")]
    [InlineData("FILE/models")]
    public async Task Download_CacheThatCannotBeMade_SaysWhichAndWhy(string cache)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the folder that nobody can write is Linux's");
        cache = cache.Replace("FILE", _cache.Write("file", "x"), StringComparison.Ordinal);
        HubOptions options = Options(HubSource.HuggingFace, _hub.Endpoint);
        options.CacheFolder = cache;

        var error = await Assert.ThrowsAsync<HubException>(() => new HubClient(_http, options).DownloadAsync(FakeHub.ModelId)).WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Contains(cache, error.Message, StringComparison.Ordinal);
        Assert.Contains("cannot be written", error.Message, StringComparison.Ordinal);
        Assert.Empty(_hub.Requests);
    }

    [Fact]
    public async Task Download_DiskThatIsFull_SaysSoAndDoesNotTryAgain()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "the device that is always full is Linux's");
        HubOptions options = Options(HubSource.HuggingFace, _hub.Endpoint);
        options.RetryDelay = TimeSpan.FromHours(1);
        string folder = Directory.CreateDirectory(Path.Combine(_cache.Path, "huggingface", "baidu--ERNIE-4.5-0.3B-PT", "main")).FullName;
        string sha256 = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(_hub.Files["model.safetensors"]));
        File.CreateSymbolicLink(Path.Combine(folder, $"model.safetensors.{sha256}.partial"), "/dev/full");

        var error = await Assert.ThrowsAsync<HubException>(() => new HubClient(_http, options).DownloadAsync(FakeHub.ModelId)).WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Contains("No space left on device", error.Message, StringComparison.Ordinal);
        Assert.Contains("model.safetensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Download_LockOfADeadProcess_IsTakenOver_AndThatOfALivingOneWaitedFor()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_cache.Path, "huggingface", "baidu--ERNIE-4.5-0.3B-PT", "main")).FullName;
        string path = Path.Combine(folder, ".lock");
        await using (var living = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            Task<string> waiting = Client(HubSource.HuggingFace).DownloadAsync(FakeHub.ModelId);
            await Task.Delay(300);
            Assert.False(waiting.IsCompleted);
            Assert.Empty(_hub.Requests);
            living.Dispose();
            Assert.Equal(folder, await waiting);
        }

        // What a process leaves that was killed: the file, without its lock.
        File.Delete(Path.Combine(folder, ".complete"));
        await File.WriteAllTextAsync(path, "4711");
        Assert.Equal(folder, await Client(HubSource.HuggingFace).DownloadAsync(FakeHub.ModelId).WaitAsync(TimeSpan.FromMinutes(1)));
    }

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        _http.Dispose();
        _cache.Dispose();
    }

    private HubClient Client(HubSource source, string? endpoint = null) => new(_http, Options(source, endpoint ?? _hub.Endpoint));

    private HubOptions Options(HubSource source, string endpoint) =>
        new() { Source = source, Endpoint = endpoint, CacheFolder = _cache.Path, RetryDelay = TimeSpan.FromMilliseconds(5) };

    private static string[] FilesIn(string folder) =>
        [.. Directory.GetFiles(folder).Select(path => Path.GetFileName(path)).Where(name => !name.StartsWith('.')).Order(StringComparer.Ordinal)];

    // Progress<T> reports from another thread, later.
    private sealed class ImmediateProgress(Action<HubProgress> report) : IProgress<HubProgress>
    {
        public void Report(HubProgress value) => report(value);
    }
}
