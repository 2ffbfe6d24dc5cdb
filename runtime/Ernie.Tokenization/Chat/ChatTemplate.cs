using System.Text.Json;
using Ernie.Text;
using Ernie.Tokenization.Jinja;

namespace Ernie.Tokenization;

/// <summary>A chat template in Jinja. Immutable, thread-safe.</summary>
/// <remarks>
/// Everything that comes with the request (messages, tools, arguments) is tracked through the rendering, so that
/// <see cref="ChatEncoder"/> can keep special tokens spelled in it as plain text.
/// </remarks>
public sealed class ChatTemplate : IRenderedChatTemplate
{
    private readonly CompiledTemplate _template;
    private readonly CompiledTemplate? _toolTemplate;
    private readonly KeyValuePair<string, object?>[] _constants;
    private readonly TemplateLimits? _limits;
    private readonly TimeProvider _time;

    /// <summary>Parses a template.</summary>
    /// <param name="source">The template.</param>
    /// <param name="constants">Variables whose text belongs to the template, such as <c>cls_token</c>.</param>
    /// <param name="toolSource">The template for requests with tools, where it is another one.</param>
    /// <param name="limits">What a rendering may use up.</param>
    /// <param name="time">The clock of <c>strftime_now</c>.</param>
    /// <exception cref="ChatTemplateException">A template is not well formed; names line and column.</exception>
    public ChatTemplate(string source, IReadOnlyDictionary<string, string>? constants = null, string? toolSource = null, TemplateLimits? limits = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        Source = source;
        _template = new CompiledTemplate(source, limits);
        _toolTemplate = toolSource is null ? null : new CompiledTemplate(toolSource, limits);
        _constants = [.. (constants ?? new Dictionary<string, string>()).Select(constant => new KeyValuePair<string, object?>(constant.Key, TextValue.OfTemplate(constant.Value)))];
        _limits = limits;
        _time = time ?? TimeProvider.System;
    }

    private ChatTemplate(string source, ChatTemplate model)
    {
        ArgumentNullException.ThrowIfNull(source);
        Source = source;
        _template = new CompiledTemplate(source, model._limits);
        _constants = model._constants;
        _limits = model._limits;
        _time = model._time;
    }

    /// <summary>The template's source.</summary>
    public string Source { get; }

    /// <summary>Another template for the same model: with this one's constants, limits and clock, for requests with and without tools.</summary>
    /// <param name="source">The template.</param>
    /// <exception cref="ChatTemplateException">It is not well formed; names line and column.</exception>
    public ChatTemplate WithSource(string source) => new(source, this);

    /// <inheritdoc/>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, IReadOnlyDictionary<string, JsonElement>? arguments = null) =>
        RenderTracked(messages, addGenerationPrompt, arguments).Text;

    /// <inheritdoc/>
    public RenderedText RenderTracked(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, IReadOnlyDictionary<string, JsonElement>? arguments = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        Dictionary<string, object?> variables = new(_constants, StringComparer.Ordinal)
        {
            ["messages"] = new ListValue([.. messages.Select(ToValue)]),
            ["add_generation_prompt"] = addGenerationPrompt,
        };
        foreach ((string name, JsonElement value) in arguments ?? new Dictionary<string, JsonElement>()) variables.TryAdd(name, Values.FromJson(value));
        bool hasTools = variables.TryGetValue("tools", out object? tools) && Values.IsTrue(tools);
        TextValue text = (hasTools && _toolTemplate is not null ? _toolTemplate : _template).Render(variables, _time.GetLocalNow(), cancellationToken);
        return new RenderedText(text.Text, text.Content);
    }

    private static DictionaryValue ToValue(ChatMessage message)
    {
        var value = new DictionaryValue();
        value.Set(TextValue.OfTemplate("role"), TextValue.OfRequest(message.Role));
        value.Set(TextValue.OfTemplate("content"), TextValue.OfRequest(message.Content));
        foreach ((string name, JsonElement extra) in message.Extra ?? new Dictionary<string, JsonElement>()) value.Set(TextValue.OfRequest(name), Values.FromJson(extra));
        return value;
    }
}
