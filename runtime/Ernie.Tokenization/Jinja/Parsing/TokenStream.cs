namespace Ernie.Tokenization.Jinja;

/// <summary>The tokens of a template, read one by one.</summary>
internal sealed class TokenStream(List<Token> tokens)
{
    /// <summary>Constructs of a template that may lie inside each other.</summary>
    public const int MaximumNesting = 200;

    private int _position;
    private int _nesting;

    /// <summary>The next token.</summary>
    public Token Current => tokens[_position];

    /// <summary>The token behind the next.</summary>
    public Token Following => tokens[Math.Min(_position + 1, tokens.Count - 1)];

    /// <summary>The first filter or test that does not exist and is certain to be asked for; one in a branch fails only when it is reached, as in Jinja.</summary>
    public TemplateError? Unknown { get; set; }

    /// <summary>Takes the next token.</summary>
    public Token Take() => Current.Kind == TokenKind.End ? Current : tokens[_position++];

    /// <summary>Takes the next token if it is a given operator.</summary>
    public bool TakeOperator(string text)
    {
        bool found = Current.IsOperator(text);
        if (found) _position++;
        return found;
    }

    /// <summary>Takes the next token if it is a given name.</summary>
    public bool TakeName(string text)
    {
        bool found = Current.IsName(text);
        if (found) _position++;
        return found;
    }

    /// <summary>Takes an operator that must be there.</summary>
    public void Expect(string text)
    {
        if (!TakeOperator(text)) throw new TemplateError($"'{text}' is needed, not {Current.Describe()}", Current.Offset);
    }

    /// <summary>Takes a token of a kind that must be there.</summary>
    public Token Expect(TokenKind kind, string what) => Current.Kind == kind ? Take() : throw new TemplateError($"{what} is needed, not {Current.Describe()}", Current.Offset);

    /// <summary>Enters a construct.</summary>
    /// <exception cref="TemplateError">Too many lie inside each other.</exception>
    public void Enter()
    {
        if (_nesting++ == MaximumNesting) throw new TemplateError($"the template nests deeper than {MaximumNesting}", Current.Offset);
    }

    /// <summary>Leaves a construct.</summary>
    public void Leave() => _nesting--;
}
