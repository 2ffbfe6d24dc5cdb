using System.Globalization;
using System.Text;

namespace Ernie.Tokenization.Jinja;

/// <summary>Compiles literals, variables, attributes, subscripts, calls, filters and tests.</summary>
internal sealed class PrimaryParser(TokenStream tokens)
{
    private static readonly HashSet<string> s_keywords = ["and", "else", "if", "in", "is", "not", "or", "elif", "for"];

    private ExpressionParser? _expressions;

    /// <summary>The parser of what stands inside brackets; set before anything is parsed.</summary>
    public ExpressionParser Expressions
    {
        private get => _expressions ?? throw new InvalidOperationException("The expression parser is not set.");
        set => _expressions = value;
    }

    /// <summary>A literal, variable or bracket, and the attributes, subscripts and calls behind it.</summary>
    public Expression ParseWithPostfix()
    {
        Expression value = ParsePrimary();
        while (true)
        {
            Token token = tokens.Current;
            if (tokens.TakeOperator(".")) value = ParseAttribute(value, token.Offset);
            else if (tokens.TakeOperator("[")) value = ParseSubscript(value, token.Offset);
            else if (tokens.Current.IsOperator("(")) value = ParseCall(value, token.Offset);
            else return value;
        }
    }

    /// <summary>The filters and tests behind a value.</summary>
    public Expression ParseFiltersAndTests(Expression value)
    {
        while (true)
        {
            Token token = tokens.Current;
            if (tokens.TakeOperator("|")) value = ParseFilter(value);
            else if (tokens.TakeName("is")) value = ParseTest(value);
            else if (token.IsOperator("(")) value = ParseCall(value, token.Offset);
            else return value;
        }
    }

    /// <summary>A filter's name and arguments.</summary>
    public Expression ParseFilter(Expression value)
    {
        Token name = tokens.Expect(TokenKind.Name, "a filter's name");
        Filter? known = FilterLibrary.Find(name.Text);
        TemplateError? unknown = known is null ? Unknown("filter", name) : null;
        Func<RenderState, string, CallArguments> arguments = ParseArguments();
        return ExpressionParser.At(name.Offset, state =>
        {
            object? input = value(state);
            CallArguments given = arguments(state, $"the filter '{name.Text}'");
            object? result = known is null ? throw unknown! : known(state, input, given);   // not null: one of the two is
            given.RefuseUnread();
            return result;
        });
    }

    private Expression ParseTest(Expression value)
    {
        bool negated = tokens.TakeName("not");
        Token name = tokens.Expect(TokenKind.Name, "a test's name");
        Test? known = TestLibrary.Find(name.Text);
        TemplateError? unknown = known is null ? Unknown("test", name) : null;
        Func<RenderState, string, CallArguments> arguments = ParseTestArguments();
        return ExpressionParser.At(name.Offset, state =>
        {
            object? input = value(state);
            CallArguments given = arguments(state, $"the test '{name.Text}'");
            bool holds = known is null ? throw unknown! : known(state, input, given);   // not null: one of the two is
            given.RefuseUnread();
            return holds != negated;
        });
    }

    private TemplateError Unknown(string kind, Token name)
    {
        var error = new TemplateError($"there is no {kind} {name.Describe()}", name.Offset);
        tokens.Unknown ??= error;
        return error;
    }

    // 'is divisibleby 3' and 'is divisibleby(3)' are the same.
    private Func<RenderState, string, CallArguments> ParseTestArguments()
    {
        Token next = tokens.Current;
        bool bare = next.Kind is TokenKind.Text or TokenKind.Integer or TokenKind.Float || next.IsOperator("[") || next.IsOperator("{") || (next.Kind == TokenKind.Name && !s_keywords.Contains(next.Text));
        if (!bare) return ParseArguments();
        Expression argument = ParseWithPostfix();
        return (state, callee) => new CallArguments(callee, [argument(state)]);
    }

    private Expression ParsePrimary()
    {
        Token token = tokens.Take();
        switch (token.Kind)
        {
            case TokenKind.Text:
                var text = new StringBuilder(token.Text);
                while (tokens.Current.Kind == TokenKind.Text) text.Append(tokens.Take().Text);
                var literal = TextValue.OfTemplate(text.ToString());
                return _ => literal;
            case TokenKind.Integer:
                if (!long.TryParse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out long integer)) throw new TemplateError("the number is too large", token.Offset);
                return _ => integer;
            case TokenKind.Float:
                double number = double.Parse(token.Text, NumberStyles.Float, CultureInfo.InvariantCulture);
                return _ => number;
            case TokenKind.Name: return ParseName(token);
            case TokenKind.Operator when token.Text == "(": return ParseParentheses();
            case TokenKind.Operator when token.Text == "[": return ParseList();
            case TokenKind.Operator when token.Text == "{": return ParseDictionary();
            default: throw new TemplateError($"a value is needed, not {token.Describe()}", token.Offset);
        }
    }

    private static Expression ParseName(Token token)
    {
        switch (token.Text)
        {
            case "true" or "True": return _ => true;
            case "false" or "False": return _ => false;
            case "none" or "None": return _ => null;
        }

        if (s_keywords.Contains(token.Text)) throw new TemplateError($"a value is needed, not '{token.Text}'", token.Offset);
        var undefined = new UndefinedValue($"'{token.Text}' is undefined");
        return state => state.Scope.TryGet(token.Text, out object? value) ? value : undefined;
    }

    private Expression ParseParentheses()
    {
        if (tokens.TakeOperator(")")) return _ => new ListValue([], isTuple: true);
        Expression inner = Expressions.ParseTuple();
        tokens.Expect(")");
        return inner;
    }

    private Expression ParseList()
    {
        List<Expression> items = [];
        while (!tokens.TakeOperator("]"))
        {
            if (items.Count > 0) tokens.Expect(",");
            if (tokens.TakeOperator("]")) break;
            items.Add(Expressions.Parse());
        }

        return state =>
        {
            state.Spend(items.Count);
            return new ListValue([.. items.Select(item => item(state))]);
        };
    }

    private Expression ParseDictionary()
    {
        List<(Expression Key, Expression Value)> entries = [];
        int offset = tokens.Current.Offset;
        while (!tokens.TakeOperator("}"))
        {
            if (entries.Count > 0) tokens.Expect(",");
            if (tokens.TakeOperator("}")) break;
            Expression key = Expressions.Parse();
            tokens.Expect(":");
            entries.Add((key, Expressions.Parse()));
        }

        return ExpressionParser.At(offset, state =>
        {
            state.Spend(entries.Count);
            var result = new DictionaryValue();
            foreach ((Expression key, Expression value) in entries) CollectionMethods.Set(state, result, key(state), value(state));
            return result;
        });
    }

    private Expression ParseAttribute(Expression value, int offset)
    {
        Token name = tokens.Take();
        if (name.Kind == TokenKind.Integer)
        {
            object index = long.Parse(name.Text, CultureInfo.InvariantCulture);
            return ExpressionParser.At(offset, state => Attributes.GetItem(state, value(state), index));
        }

        if (name.Kind != TokenKind.Name) throw new TemplateError($"an attribute's name is needed, not {name.Describe()}", name.Offset);
        return ExpressionParser.At(offset, state => Attributes.GetAttribute(value(state), name.Text));
    }

    private Expression ParseSubscript(Expression value, int offset)
    {
        Expression? start = null, stop = null, step = null;
        if (!tokens.Current.IsOperator(":")) start = Expressions.Parse();
        if (start is not null && tokens.TakeOperator("]")) return ExpressionParser.At(offset, state => Attributes.GetItem(state, value(state), start(state)));
        tokens.Expect(":");
        if (tokens.Current is not { Kind: TokenKind.Operator, Text: ":" or "]" }) stop = Expressions.Parse();
        if (tokens.TakeOperator(":") && !tokens.Current.IsOperator("]")) step = Expressions.Parse();
        tokens.Expect("]");
        return ExpressionParser.At(offset, state => Attributes.Slice(state, value(state), start?.Invoke(state), stop?.Invoke(state), step?.Invoke(state)));
    }

    private Expression ParseCall(Expression callee, int offset)
    {
        Func<RenderState, string, CallArguments> arguments = ParseArguments();
        return ExpressionParser.At(offset, state =>
        {
            object? target = callee(state);
            if (target is not Callable callable) throw new TemplateError($"{Values.TypeName(target)} cannot be called");
            return callable.Invoke(state, arguments(state, callable.Name));
        });
    }

    private Func<RenderState, string, CallArguments> ParseArguments()
    {
        List<Expression> positional = [];
        List<(string Name, Expression Value)> named = [];
        if (!tokens.TakeOperator("(")) return (_, callee) => new CallArguments(callee, []);
        while (!tokens.TakeOperator(")"))
        {
            if (positional.Count + named.Count > 0) tokens.Expect(",");
            if (tokens.TakeOperator(")")) break;
            if (tokens.Current.Kind == TokenKind.Name && tokens.Following.IsOperator("="))
            {
                string name = tokens.Take().Text;
                tokens.Take();
                named.Add((name, Expressions.Parse()));
            }
            else if (named.Count > 0)
            {
                throw new TemplateError("an argument by position stands behind one by name", tokens.Current.Offset);
            }
            else
            {
                positional.Add(Expressions.Parse());
            }
        }

        return (state, callee) =>
        {
            state.Spend(positional.Count + named.Count);
            return new CallArguments(callee, [.. positional.Select(argument => argument(state))], Evaluate(state, named));
        };
    }

    private static Dictionary<string, object?>? Evaluate(RenderState state, List<(string Name, Expression Value)> named)
    {
        if (named.Count == 0) return null;
        Dictionary<string, object?> values = new(StringComparer.Ordinal);
        foreach ((string name, Expression value) in named) values[name] = value(state);
        return values;
    }
}
