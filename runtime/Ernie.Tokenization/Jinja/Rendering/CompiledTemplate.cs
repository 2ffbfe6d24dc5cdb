namespace Ernie.Tokenization.Jinja;

/// <summary>A parsed template. Immutable, thread-safe.</summary>
internal sealed class CompiledTemplate
{
    private readonly string _source;
    private readonly Statement _body;

    /// <summary>Parses.</summary>
    /// <exception cref="TemplateError">The template is not well formed; says where.</exception>
    public CompiledTemplate(string source)
    {
        _source = TemplateLexer.Normalize(source);
        try
        {
            _body = new StatementParser(new TokenStream(TemplateLexer.Read(_source))).ParseTemplate();
        }
        catch (TemplateError error)
        {
            throw Located(error);
        }
    }

    /// <summary>Renders.</summary>
    /// <param name="variables">The variables; functions of the language are added.</param>
    /// <param name="limits">What it may use up.</param>
    /// <param name="now">The time that <c>strftime_now</c> gives.</param>
    /// <exception cref="Text.ChatTemplateException">It fails or refuses; says where.</exception>
    public TextValue Render(IEnumerable<KeyValuePair<string, object?>> variables, TemplateLimits limits, DateTimeOffset now)
    {
        var globals = new Scope(null);
        GlobalFunctions.AddTo(globals);
        var scope = new Scope(globals);
        foreach ((string name, object? value) in variables) scope.Set(name, value);
        var state = new RenderState(limits, scope, now);
        try
        {
            _body(state);
            return state.Output.ToValue();
        }
        catch (TemplateError error)
        {
            throw Located(error);
        }
    }

    private Text.ChatTemplateException Located(TemplateError error)
    {
        int offset = Math.Clamp(error.Offset, 0, _source.Length);
        int line = _source.AsSpan(0, offset).Count('\n') + 1;
        int column = offset - (offset == 0 ? -1 : _source.LastIndexOf('\n', offset - 1));
        return new Text.ChatTemplateException($"chat template, line {line}, column {column}: {error.Message}", error);
    }
}
