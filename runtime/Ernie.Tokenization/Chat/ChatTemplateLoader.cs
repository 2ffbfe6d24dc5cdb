using System.Text.Json;
using Ernie.PlainFiles;
using Ernie.Text;
using Ernie.Tokenization.Files;

namespace Ernie.Tokenization;

/// <summary>Loads chat templates.</summary>
public static class ChatTemplateLoader
{
    /// <summary>
    /// ERNIE 4.5's template, for checkpoints that come without one: <c>User: …</c> and <c>Assistant: …</c> lines, system text as it
    /// stands, the separator behind every answer.
    /// </summary>
    public const string ErnieTemplate = """
        {%- if not add_generation_prompt is defined -%}
            {%- set add_generation_prompt = true -%}
        {%- endif -%}
        {{- cls_token -}}
        {%- for message in messages -%}
            {%- if message["role"] == "user" -%}
                {{- "User: " + message["content"] + "\n" -}}
            {%- elif message["role"] == "assistant" -%}
                {{- "Assistant: " + message["content"] + sep_token -}}
            {%- elif message["role"] == "system" -%}
                {{- message["content"] + "\n" -}}
            {%- endif -%}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
            {{- "Assistant: " -}}
        {%- endif -%}
        """;

    private const string BeginOfSentence = "<|begin_of_sentence|>";

    /// <summary>Loads the template of a directory.</summary>
    /// <param name="directory">A checkpoint's directory: <c>chat_template.jinja</c>, else <c>chat_template</c> in <c>tokenizer_config.json</c> (a string, or a list of named ones).</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <returns>The template; <see cref="ErnieTemplate"/> when there is none but the tokenizer has ERNIE's control tokens; null when it has not.</returns>
    /// <exception cref="TokenizerFormatException">A file is damaged.</exception>
    /// <exception cref="ChatTemplateException">The template is not well formed; names line and column.</exception>
    public static ChatTemplate? Load(string directory, ITokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(tokenizer);
        Dictionary<string, string> constants = Constants(directory, tokenizer);
        string jinja = Path.Combine(directory, "chat_template.jinja");
        if (ModelFile.IsThere(jinja)) return new ChatTemplate(TokenizerFile.ReadText(jinja, ModelFile.MaximumSettingsBytes), constants);
        string path = Path.Combine(directory, "tokenizer_config.json");
        using JsonDocument? configuration = JsonFile.OpenIfPresent(path);
        if (configuration?.RootElement.Find("chat_template") is { } found) return FromConfiguration(found, path, constants);
        return constants.ContainsKey("cls_token") && constants.ContainsKey("sep_token") ? new ChatTemplate(ErnieTemplate, constants) : null;
    }

    /// <summary>Parses a template given by an operator in place of the checkpoint's own.</summary>
    /// <param name="templateOrFile">A Jinja template, or the path of a file that holds one.</param>
    /// <param name="directory">The checkpoint's directory, for the names of its special tokens.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <exception cref="TokenizerFormatException">The file cannot be read.</exception>
    /// <exception cref="ChatTemplateException">The template is not well formed; names line and column.</exception>
    public static ChatTemplate Parse(string templateOrFile, string directory, ITokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(templateOrFile);
        // A template has line breaks or braces; a path that leads to a pipe or a directory is still a path.
        string source = File.Exists(templateOrFile) || Directory.Exists(templateOrFile) ? TokenizerFile.ReadText(templateOrFile, ModelFile.MaximumSettingsBytes) : templateOrFile;
        return new ChatTemplate(source, Constants(directory, tokenizer));
    }

    private static Dictionary<string, string> Constants(string directory, ITokenizer tokenizer)
    {
        Dictionary<string, string> constants = TokenizerConfiguration.Read(directory).NamedTokens;
        if (tokenizer.FindSpecialToken(BeginOfSentence) is null || tokenizer.FindSpecialToken(GenerationConfig.TemplateSeparator) is null) return constants;
        constants.TryAdd("cls_token", BeginOfSentence);
        constants.TryAdd("sep_token", GenerationConfig.TemplateSeparator);
        return constants;
    }

    private static ChatTemplate FromConfiguration(JsonElement found, string path, Dictionary<string, string> constants)
    {
        if (found.ValueKind == JsonValueKind.String) return new ChatTemplate(found.GetString() ?? "", constants);
        if (found.ValueKind != JsonValueKind.Array) throw new TokenizerFormatException(path, "chat_template", "is neither a string nor a list of named templates");
        Dictionary<string, string> named = new(StringComparer.Ordinal);
        foreach (JsonElement entry in found.EnumerateArray())
        {
            string name = entry.FindString("name") ?? throw new TokenizerFormatException(path, "chat_template[].name", "is no string");
            named[name] = entry.FindString("template") ?? throw new TokenizerFormatException(path, $"chat_template['{Excerpt.Of(name, 100)}'].template", "is no string");
        }

        if (!named.TryGetValue("default", out string? source)) throw new TokenizerFormatException(path, "chat_template", "has no template named 'default'");
        return new ChatTemplate(source, constants, named.GetValueOrDefault("tool_use"));
    }
}
