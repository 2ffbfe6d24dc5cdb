using Ernie.Text;

namespace Ernie.Tokenization.Jinja;

/// <summary>A parsed template. Immutable, thread-safe.</summary>
internal sealed class CompiledTemplate
{
    private readonly string _source;
    private readonly Statement _body;
    private readonly TemplateLimits _limits;

    /// <summary>Parses.</summary>
    /// <param name="source">The template.</param>
    /// <param name="limits">What it may use up; null for the defaults.</param>
    /// <exception cref="ChatTemplateException">The template is too long or not well formed; says where.</exception>
    public CompiledTemplate(string source, TemplateLimits? limits = null)
    {
        _limits = limits ?? new TemplateLimits();
        if (source.Length > _limits.MaximumSourceCharacters) throw new ChatTemplateException($"chat template: it has {source.Length} characters; at most {_limits.MaximumSourceCharacters} are allowed");
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
    /// <param name="now">The time that <c>strftime_now</c> gives.</param>
    /// <param name="cancellationToken">Ends the rendering when nobody waits for it any more.</param>
    /// <exception cref="ChatTemplateException">It fails or refuses; says where.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public TextValue Render(IEnumerable<KeyValuePair<string, object?>> variables, DateTimeOffset now, CancellationToken cancellationToken = default) => Render(variables, now, out _, cancellationToken);

    /// <summary>Renders, and says how much work it was.</summary>
    /// <param name="variables">The variables; functions of the language are added.</param>
    /// <param name="now">The time that <c>strftime_now</c> gives.</param>
    /// <param name="steps">What <see cref="RenderState.Steps"/> came to.</param>
    /// <param name="cancellationToken">Ends the rendering when nobody waits for it any more.</param>
    /// <exception cref="ChatTemplateException">It fails or refuses; says where.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public TextValue Render(IEnumerable<KeyValuePair<string, object?>> variables, DateTimeOffset now, out long steps, CancellationToken cancellationToken = default)
    {
        var globals = new Scope(null);
        GlobalFunctions.AddTo(globals);
        var scope = new Scope(globals);
        foreach ((string name, object? value) in variables) scope.Set(name, value);
        var state = new RenderState(_limits, scope, now, cancellationToken);
        try
        {
            _body(state);
            steps = state.Steps;
            return state.Output.ToValue();
        }
        catch (TemplateError error)
        {
            throw Located(error);
        }
    }

    private ChatTemplateException Located(TemplateError error)
    {
        int offset = Math.Clamp(error.Offset, 0, _source.Length);
        int line = _source.AsSpan(0, offset).Count('\n') + 1;
        int column = offset - (offset == 0 ? -1 : _source.LastIndexOf('\n', offset - 1));
        return new ChatTemplateException($"chat template, line {line}, column {column}: {Excerpt.Of(error.Message)}", error);
    }
}
