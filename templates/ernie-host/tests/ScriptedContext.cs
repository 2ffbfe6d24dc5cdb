using System.Runtime.CompilerServices;
using Ernie.Generation;
using Ernie.Hosting;
using Ernie.Text;

namespace Ernie.Template.Tests;

/// <summary>A model that says its prompt backwards; one token is one character.</summary>
internal sealed class ScriptedContext : IHostContext, IEngine, ITokenizer
{
    public IEngine Engine => this;

    public ITokenizer Tokenizer => this;

    public IChatTemplate? ChatTemplate => null;

    public GenerationDefaults Defaults { get; } = new() { Temperature = 0.5f, EndTokens = [2] };

    public List<GenerationRequest> Requests { get; } = [];

    public int LongestPrompt { get; init; } = 100;

    public EngineInfo Info { get; } = new()
    {
        ModelName = "backwards", Device = "none", MaxModelLength = 100, VocabularySize = 65536, HiddenSize = 1, MaxSequences = 4,
        PageCount = 1, TokensPerPage = 64, Samplers = ["standard"], CachePolicy = null,
    };

    public int VocabularySize => 65536;

    public async IAsyncEnumerable<GenerationEvent> GenerateAsync(
        GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (request.PromptTokens.Count > LongestPrompt)
        {
            throw new RequestRejectedException(RejectionReason.TooLong, $"at most {LongestPrompt}");
        }

        Requests.Add(request);
        foreach (int token in request.PromptTokens.Reverse().Take(request.MaxTokens))
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            yield return new GenerationEvent { Token = token };
        }

        yield return new GenerationEvent { FinishReason = FinishReason.Stop };
    }

    public IReadOnlyList<int> Encode(string text) => [.. text.Select(character => (int)character)];

    public IReadOnlyList<int> EncodeWithSpecialTokens(string text) => Encode(text);

    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true) =>
        string.Concat(ids.ToArray().Select(id => (char)id));

    public ReadOnlyMemory<byte> GetBytes(int id, bool skipSpecialTokens = true) => System.Text.Encoding.UTF8.GetBytes(GetPiece(id));

    public string GetPiece(int id) => ((char)id).ToString();

    public int? FindSpecialToken(string token) => null;

    public IStreamDecoder CreateStreamDecoder(bool skipSpecialTokens = true) => new Decoder();

    public EngineStatistics GetStatistics() => new();

    public void Pause()
    {
    }

    public void Resume()
    {
    }

    public Task<int> AbortAllAsync() => Task.FromResult(0);

    public Task<int> ResetPrefixCacheAsync() => Task.FromResult(0);

    public Task DrainAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Decoder : IStreamDecoder
    {
        public string Append(int id) => ((char)id).ToString();

        public string Flush() => "";
    }
}
