using System.Diagnostics;
using System.Text;
using Ernie.Hosting;
using Ernie.Tokenization.SentencePiece;

namespace Ernie.Tokenization.Tests;

/// <summary>Files of a tokenizer that are pointers, pipes, devices, marked or damaged: all that reads them says which file and why.</summary>
public sealed class TokenizerFileTests
{
    private const string Pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

    [Theory]
    [InlineData("tokenizer.model")]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    [InlineData("special_tokens_map.json")]
    [InlineData("added_tokens.json")]
    [InlineData("chat_template.jinja")]
    [InlineData("generation_config.json")]
    [InlineData("config.json")]
    public void Load_PointerPipeOrDevice_IsRefusedByName(string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "pipes and devices are made as on Linux");
        using TemporaryDirectory directory = CopyOfTales();
        string path = directory.File(name);
        if (name == "tokenizer.json") File.Delete(directory.File("tokenizer.model"));
        foreach ((Action make, string problem) in (ReadOnlySpan<(Action, string)>)
        [
            (() => File.WriteAllText(path, Pointer), "is a pointer of Git LFS, not the file that it stands for; run 'git lfs install' and 'git lfs pull'"),
            (() => Process.Start("mkfifo", path).WaitForExit(), "is a named pipe; a file is needed"),
            (() => File.CreateSymbolicLink(path, "/dev/zero"), "is a device; a file is needed"),
            (() => File.CreateSymbolicLink(path, "nowhere"), "is a link to 'nowhere', which does not exist"),
        ])
        {
            File.Delete(path);
            make();

            var error = Assert.Throws<TokenizerFormatException>(() => LoadAll(directory.FullName));

            Assert.StartsWith(path + ": ", error.Message, StringComparison.Ordinal);
            Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Load_MarkOfTheByteOrder_ChangesNothing()
    {
        using TemporaryDirectory directory = CopyOfTales();
        File.WriteAllText(directory.File("chat_template.jinja"), "{{ messages[0].content }}");
        File.WriteAllText(directory.File("config.json"), """{"eos_token_id": 7}""");
        (string plainText, GenerationDefaults plain) = LoadAll(directory.FullName);
        foreach (string path in Directory.GetFiles(directory.FullName).Where(path => !path.EndsWith(".model", StringComparison.Ordinal)))
            File.WriteAllBytes(path, [.. Encoding.UTF8.Preamble, .. File.ReadAllBytes(path)]);

        (string markedText, GenerationDefaults marked) = LoadAll(directory.FullName);

        Assert.Equal(plainText, markedText);
        Assert.Equal(plain.EndTokens, marked.EndTokens);
        Assert.Equal(plain.TopP, marked.TopP);
    }

    [Theory]
    [InlineData("[1, 2")]
    [InlineData("[]")]
    [InlineData("")]
    [InlineData("{\"bos_token\": \"\\ud800\"}")]
    public void Load_DamagedJson_IsRefusedByName(string content)
    {
        using TemporaryDirectory directory = CopyOfTales();
        foreach (string name in (string[])["tokenizer_config.json", "generation_config.json", "added_tokens.json"])
        {
            byte[]? before = File.Exists(directory.File(name)) ? File.ReadAllBytes(directory.File(name)) : null;
            File.WriteAllText(directory.File(name), content);

            Assert.StartsWith(directory.File(name) + ": ", Assert.Throws<TokenizerFormatException>(() => LoadAll(directory.FullName)).Message, StringComparison.Ordinal);

            if (before is null) File.Delete(directory.File(name));
            else File.WriteAllBytes(directory.File(name), before);
        }
    }

    [Fact]
    public void Load_BytesThatAreNoText_AreRefusedByName()
    {
        using TemporaryDirectory directory = CopyOfTales();
        File.WriteAllBytes(directory.File("tokenizer_config.json"), [.. "{\"bos_token\": \""u8, 0xC3, 0x28, .. "\"}"u8]);

        Assert.Contains("not valid Unicode", Assert.Throws<TokenizerFormatException>(() => LoadAll(directory.FullName)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_DamagedPiece_NamesItOnce()
    {
        // A piece whose score is cut off.
        byte[] file = [0x0A, 0x06, 0x0A, 0x01, (byte)'a', 0x15, 0x00, 0x00];

        var error = Assert.Throws<TokenizerFormatException>(() => SentencePieceModelReader.Read(file, "t.model"));

        Assert.Equal("t.model: pieces[0]: field 2 at byte 4 claims 4 bytes; 2 are left", error.Message);
    }

    [Fact]
    public void Load_LongTexts_AreNotRepeatedInFull()
    {
        string text = new('x', 100_000);
        (string Name, string Content)[] files =
        [
            ("tokenizer_config.json", "{\"added_tokens_decoder\": {\"TEXT\": {}}}"),
            ("tokenizer_config.json", "{\"added_tokens_decoder\": {\"7\": {\"content\": \"TEXT\"}}}"),
            ("tokenizer_config.json", "{\"chat_template\": [{\"name\": \"TEXT\", \"template\": 7}]}"),
            ("tokenizer_config.json", "{\"chat_template\": \"{{ TEXT }}\"}"),
            ("added_tokens.json", "{\"TEXT\": \"x\"}"),
            ("generation_config.json", "{\"temperature\": \"TEXT\"}"),
            ("generation_config.json", "{\"eos_token_id\": [\"TEXT\"]}"),
        ];
        foreach ((string name, string content) in files)
        {
            using TemporaryDirectory directory = CopyOfTales();
            File.WriteAllText(directory.File(name), content.Replace("TEXT", text, StringComparison.Ordinal));

            string message = Assert.ThrowsAny<Exception>(() => LoadAll(directory.FullName)).Message;

            Assert.DoesNotContain(text[..201], message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"temperature": 2.5, "top_k": 0, "top_p": 1.0, "min_p": 0, "repetition_penalty": 1}""")]
    [InlineData("""{"temperature": 0, "top_k": -1, "top_p": 1e-6, "min_p": 1}""")]
    [InlineData("""{"temperature": null, "top_k": null, "top_p": null, "min_p": null, "repetition_penalty": null, "eos_token_id": null}""")]
    [InlineData("""{"top_k": 50.0, "eos_token_id": [2, 3], "pad_token_id": -1, "num_beams": 4, "typical_p": 0.9, "penalty_alpha": 0.6, "max_new_tokens": 2048}""")]
    [InlineData("""{"top_k": 2147483647, "eos_token_id": [], "do_sample": false, "transformers_version": "5.17.0", "_from_model_config": true}""")]
    [InlineData("""{"bad_words_ids": [[1, 2]], "suppress_tokens": null, "cache_implementation": "static", "stop_strings": ["x"], "assistant": {"a": [1]}}""")]
    public void Load_LegalGenerationConfig_DoesNotStopTheStart(string content)
    {
        using TemporaryDirectory directory = CopyOfTales();
        File.WriteAllText(directory.File("generation_config.json"), content);

        Assert.NotEmpty(LoadAll(directory.FullName).Defaults.EndTokens);
    }

    private static TemporaryDirectory CopyOfTales()
    {
        var directory = new TemporaryDirectory();
        foreach (string name in (string[])["tokenizer.model", "tokenizer_config.json", "generation_config.json", "config.json"])
            File.Copy(Path.Combine(SharedFiles.TalesDirectory, name), directory.File(name));
        return directory;
    }

    private static (string Text, GenerationDefaults Defaults) LoadAll(string directory)
    {
        BpeTokenizer tokenizer = TokenizerLoader.Load(directory);
        ChatTemplate? template = ChatTemplateLoader.Load(directory, tokenizer);
        return (template?.Render([new("user", "hello")]) ?? "", GenerationConfig.Load(directory, tokenizer));
    }
}
