using System.Runtime.CompilerServices;
using System.Text;
using Ernie.Cli.Hosting;
using Ernie.Generation;
using Ernie.Hosting;
using Ernie.Hosting.Options;
using Ernie.Text;

namespace Ernie.Cli.Tests;

/// <summary>A model whose ids are characters. It writes d for ever, gives every token a probability of one half, and fails on "boom".</summary>
internal sealed class StubModel : IHostContext, IEngine, ITokenizer
{
    public static Task<ModelSession> OpenAsync(OptionSet options, Func<OptionSet, OptionSet>? adjust, Action<string> progress, CancellationToken cancellationToken)
    {
        adjust?.Invoke(options);
        var model = new StubModel();
        return Task.FromResult(new ModelSession(model, model));
    }

    public IEngine Engine => this;

    public ITokenizer Tokenizer => this;

    public IChatTemplate? ChatTemplate => null;

    public GenerationDefaults Defaults { get; } = new() { EndTokens = [2] };

    public EngineInfo Info { get; } = new()
    {
        ModelName = "stub",
        Device = "none",
        MaxModelLength = 64,
        VocabularySize = 128,
        HiddenSize = 1,
        MaxSequences = 8,
        PageCount = 1,
        TokensPerPage = 64,
        Samplers = ["standard"],
        CachePolicy = null,
    };

    public int VocabularySize => 128;

    public async IAsyncEnumerable<GenerationEvent> GenerateAsync(GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.Delay(1, cancellationToken);
        if (request.PromptTokens.SequenceEqual("boom".Select(character => (int)character)))
        {
            yield return new GenerationEvent { FinishReason = FinishReason.Error, Error = "scripted failure" };
            yield break;
        }

        if (request.MaxTokens == 0)
        {
            yield return new GenerationEvent
            {
                FinishReason = FinishReason.Length,
                PromptLogprobs = [null, .. request.PromptTokens.Skip(1).Select(token => new TokenLogprobs(token, -MathF.Log(2), 1, []))],
            };
            yield break;
        }

        for (int token = 1; token <= request.MaxTokens; token++)
        {
            await Task.Delay(1, cancellationToken);
            yield return new GenerationEvent { Token = 'd', FinishReason = token == request.MaxTokens ? FinishReason.Length : FinishReason.None };
        }
    }

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

    public IReadOnlyList<int> Encode(string text) => [.. text.Select(character => (int)character)];

    public IReadOnlyList<int> EncodeWithSpecialTokens(string text) => Encode(text);

    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true) => string.Concat(ids.ToArray().Select(id => (char)id));

    public ReadOnlyMemory<byte> GetBytes(int id, bool skipSpecialTokens = true) => Encoding.UTF8.GetBytes(((char)id).ToString());

    public string GetPiece(int id) => ((char)id).ToString();

    public int? FindSpecialToken(string token) => token switch
    {
        "<|begin_of_sentence|>" => 3,
        "</s>" => 2,
        _ => null,
    };

    public IStreamDecoder CreateStreamDecoder(bool skipSpecialTokens = true) => new Decoder();

    private sealed class Decoder : IStreamDecoder
    {
        public string Append(int id) => ((char)id).ToString();

        public string Flush() => "";
    }
}
