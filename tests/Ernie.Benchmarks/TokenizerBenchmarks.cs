using BenchmarkDotNet.Attributes;
using Ernie.Tokenization;

namespace Ernie.Benchmarks;

/// <summary>Encoding and decoding with the tales model's tokenizer; one operation is one text of the size in the name.</summary>
[MemoryDiagnoser]
public class TokenizerBenchmarks
{
    private const string Sentence = "Once upon a time there lived a king who had three daughters, and the youngest of them, said the old woman, was fairer than the morning; but nobody in the whole castle had ever heard her laugh.\n";

    private string _directory = "";
    private string _prose = "";
    private string _repeated = "";
    private int[] _ids = [];
    private BpeTokenizer _tokenizer = null!;   // set by Load before any benchmark runs

    /// <summary>Loads the tokenizer and makes the texts.</summary>
    [GlobalSetup]
    public void Load()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null && _directory.Length == 0; folder = folder.Parent)
            if (Directory.Exists(Path.Combine(folder.FullName, "models", "tales"))) _directory = Path.Combine(folder.FullName, "models", "tales");
        _tokenizer = TokenizerLoader.Load(_directory);
        _prose = MixedProse((1 << 20) / Sentence.Length);
        _repeated = new string('a', 1 << 20);
        _ids = [.. _tokenizer.Encode(_prose)];
    }

    /// <summary>Reads the vocabulary.</summary>
    [Benchmark]
    public BpeTokenizer LoadVocabulary() => TokenizerLoader.Load(_directory);

    /// <summary>1 MB of prose.</summary>
    [Benchmark(Baseline = true)]
    public IReadOnlyList<int> EncodeMegabyteOfProse() => _tokenizer.Encode(_prose);

    /// <summary>1 MB of one character: a single segment, the worst case of the merging.</summary>
    [Benchmark]
    public IReadOnlyList<int> EncodeMegabyteOfOneCharacter() => _tokenizer.Encode(_repeated);

    /// <summary>The ids of 1 MB of prose.</summary>
    [Benchmark]
    public string DecodeMegabyteOfProse() => _tokenizer.Decode(_ids);

    // The words of the sentence in changing order, so that not every line is the same.
    private static string MixedProse(int lines)
    {
        string[] words = Sentence.Split(' ');
        var random = new Random(1);
        return string.Concat(Enumerable.Range(0, lines).Select(_ => string.Join(' ', Enumerable.Range(0, words.Length).Select(_ => words[random.Next(words.Length)]))));
    }
}
