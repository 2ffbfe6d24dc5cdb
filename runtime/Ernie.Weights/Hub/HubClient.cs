using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ernie.Weights;

/// <summary>Fetches models from a hub into a cache folder: resumed, checked, and complete or not at all.</summary>
public sealed partial class HubClient
{
    // What .NET reports when another process holds a file: EWOULDBLOCK of flock(2), and ERROR_SHARING_VIOLATION. All else is no reason to wait.
    private const int LinuxWouldBlock = 11, MacWouldBlock = 35, WindowsSharingViolation = unchecked((int)0x80070020);

    /// <summary>Written last; a folder without it is not complete.</summary>
    private const string CompleteMarker = ".complete";

    private readonly HttpClient _http;
    private readonly HubOptions _options;
    private readonly HubLayout _layout;
    private readonly string _endpoint;

    /// <summary>Creates a client.</summary>
    /// <param name="http">Stays the caller's. Its timeout bounds the wait for an answer's beginning, not a download.</param>
    /// <param name="options">Where from and where to.</param>
    public HubClient(HttpClient http, HubOptions options)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(options);
        _http = http;
        _options = options;
        _layout = HubLayout.Of(options.Source);
        string endpoint = (options.Endpoint ?? _layout.DefaultEndpoint).TrimEnd('/');
        _endpoint = endpoint.Contains("://", StringComparison.Ordinal) ? endpoint : "https://" + endpoint;
    }

    /// <summary>True for text that names a model on a hub, <c>owner/name</c>, and no existing folder.</summary>
    /// <param name="model">What the user gave as the model.</param>
    public static bool IsModelId(string model) => ModelIdPattern().IsMatch(model) && !Directory.Exists(model);

    /// <summary>The model's folder in the cache, downloading what is missing.</summary>
    /// <param name="modelId"><c>owner/name</c>.</param>
    /// <param name="revision">Branch, tag or commit; null, or <c>main</c> where a hub calls it otherwise, is the hub's default branch.</param>
    /// <param name="progress">Told about every megabyte or so; null for silence.</param>
    /// <param name="cancellationToken">Stops; what has come so far is kept and resumed the next time.</param>
    /// <returns>A folder with config, tokenizer and safetensors files. A complete copy is used as it is, without asking the hub; delete it to fetch a branch anew.</returns>
    /// <exception cref="HubException">The id is not one, the hub cannot be reached, does not have the model, refuses it, or sends other bytes than it promised.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<string> DownloadAsync(string modelId, string? revision = null, IProgress<HubProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(modelId);
        if (!ModelIdPattern().IsMatch(modelId))
            throw new HubException($"'{modelId}' is neither a folder nor a hub id; an id is owner/name, such as baidu/ERNIE-4.5-0.3B-PT.");
        revision = string.IsNullOrEmpty(revision) || revision == "main" ? _layout.DefaultRevision : revision;
        if (!RevisionPattern().IsMatch(revision))
            throw new HubException($"'{revision}' is not a branch, tag or commit.");
        string folder = Path.Combine(_options.CacheFolder, _layout.Name.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant(), FolderName(modelId), FolderName(revision));
        string marker = Path.Combine(folder, CompleteMarker);
        if (File.Exists(marker))
            return folder;
        if (_options.Offline)
            return FindOffline(modelId, revision, folder);

        await using FileStream guard = await LockAsync(folder, cancellationToken).ConfigureAwait(false);
        if (File.Exists(marker))
            return folder;
        try
        {
            IReadOnlyList<HubFile> files = await ListAsync(modelId, revision, cancellationToken).ConfigureAwait(false);
            foreach (HubFile file in files)
            {
                var download = new HubDownload(_http, file, Path.Combine(folder, file.Name), () => Request(_layout.FilePath(modelId, revision, file.Name)), _options.RetryDelay);
                await download.RunAsync(progress, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (HttpRequestException error)
        {
            throw Explain(error, modelId, revision);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new HubException($"The download of '{modelId}' broke off: {error.Message} What has come is kept; run again to resume.", error);
        }
        try
        {
            await File.WriteAllTextAsync(marker, $"{_endpoint} {modelId} {revision}\n", cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw HubDownload.Unwritable(marker, error);
        }
        return folder;
    }

    private string FindOffline(string modelId, string revision, string folder)
    {
        if (_options.ClientCacheFolder is not { } clientFolder)
            throw new HubException($"'{modelId}' is not in the cache ({folder}) and HF_HUB_OFFLINE forbids the network. {WaysOut(modelId)}");
        var client = new HuggingFaceCache(clientFolder);
        return client.Find(modelId, revision) ?? throw new HubException(
            $"'{modelId}' with revision '{revision}' is neither in the cache ({folder}) nor in that of Hugging Face's client ({client.FolderOfModel(modelId)}, revisions there: {client.Revisions(modelId)}), and HF_HUB_OFFLINE forbids the network. {WaysOut(modelId)}");
    }

    private async Task<IReadOnlyList<HubFile>> ListAsync(string modelId, string revision, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = Request(_layout.ListPath(modelId, revision));
        using HttpResponseMessage response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        try
        {
            await using Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            using JsonDocument answer = await JsonDocument.ParseAsync(stream, cancellationToken: cancellationToken).ConfigureAwait(false);
            HubFile[] files = [.. _layout.ParseList(answer.RootElement).Where(file => IsWanted(file.Name)).DistinctBy(file => file.Name)];
            // Small files first: a wrong model shows before gigabytes have come.
            return files.Any(file => file.Name == "config.json")
                ? [.. files.OrderBy(file => file.Name.EndsWith(".safetensors", StringComparison.Ordinal)).ThenBy(file => file.Name, StringComparer.Ordinal)]
                : throw new HubException($"'{modelId}' at {_layout.Name} has no config.json; it is not a model that can be served.");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new HubException($"{_endpoint} answered with something that is not a file listing: {error.Message} Is the endpoint right?", error);
        }
    }

    // Only plain names of this folder are taken, so that a hub cannot write elsewhere.
    private static bool IsWanted(string name) =>
        WantedFilePattern().IsMatch(name) && !name.StartsWith('.');

    private HttpRequestMessage Request(string pathAndQuery)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, _endpoint + pathAndQuery);
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("ernie-compiler", "0.1"));
        if (_options.Token is { Length: > 0 } token)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return request;
    }

    private HubException Explain(HttpRequestException error, string modelId, string revision) => error.StatusCode switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new HubException(
            $"{_layout.Name} refuses '{modelId}' ({(int)error.StatusCode}): the model is private, gated or misspelt. Set {_layout.TokenVariable} to a token that may read it.", error),
        HttpStatusCode.NotFound => new HubException($"{_layout.Name} has no model '{modelId}' with revision '{revision}' (404 from {_endpoint}).", error),
        { } status => new HubException($"{_endpoint} answered {(int)status} for '{modelId}'. {WaysOut(modelId)}", error),
        null => new HubException($"{_endpoint} cannot be reached ({error.Message}). {WaysOut(modelId)}", error),
    };

    private string WaysOut(string modelId) =>
        $"Without a network: give --model a folder that holds the model, or copy the download of another machine into the cache folder ({_options.CacheFolder}). With a mirror: set {_layout.EndpointVariable}, or FD_MODEL_SOURCE to another hub that has '{modelId}'.";

    private static string FolderName(string text) => text.Replace("/", "--", StringComparison.Ordinal);

    /// <summary>Two processes that start together download once: the second waits here. The system frees the lock of a process that has died.</summary>
    private static async Task<FileStream> LockAsync(string folder, CancellationToken cancellationToken)
    {
        string path = Path.Combine(folder, ".lock");
        while (true)
        {
            try
            {
                Directory.CreateDirectory(folder);
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException error) when (error.HResult is LinuxWouldBlock or MacWouldBlock or WindowsSharingViolation)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw HubDownload.Unwritable(path, error);
            }
        }
    }

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$")]
    private static partial Regex ModelIdPattern();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._/-]*$")]
    private static partial Regex RevisionPattern();

    [GeneratedRegex(@"^[A-Za-z0-9._-]+\.(json|jinja|model|safetensors)$")]
    private static partial Regex WantedFilePattern();
}
