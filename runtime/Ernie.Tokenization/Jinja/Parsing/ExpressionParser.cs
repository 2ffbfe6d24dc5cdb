namespace Ernie.Tokenization.Jinja;

/// <summary>Compiles expressions, loosest binding first.</summary>
/// <remarks>Grammar and binding: Jinja 3.1, "Expressions"; arithmetic binds looser than <c>~</c>, and filters bind tightest.</remarks>
internal sealed class ExpressionParser(TokenStream tokens)
{
    private static readonly string[] s_comparisons = ["==", "!=", "<=", ">=", "<", ">"];

    private readonly PrimaryParser _primary = new(tokens);

    /// <summary>Compiles an expression, a tuple without parentheses included.</summary>
    public Expression ParseTuple(bool allowCondition = true)
    {
        _primary.Expressions = this;
        Expression first = allowCondition ? Parse() : ParseOr();
        if (!tokens.Current.IsOperator(",")) return first;
        List<Expression> items = [first];
        while (tokens.TakeOperator(","))
        {
            if (EndsTuple()) break;
            items.Add(allowCondition ? Parse() : ParseOr());
        }

        return state =>
        {
            state.Spend(items.Count);
            return new ListValue([.. items.Select(item => item(state))], isTuple: true);
        };
    }

    /// <summary>Compiles an expression.</summary>
    public Expression Parse()
    {
        _primary.Expressions = this;
        tokens.Enter();
        TemplateError? unknown = tokens.Unknown;
        Expression value = ParseOr();
        while (tokens.Current.IsName("if"))
        {
            int offset = tokens.Take().Offset;
            Expression chosen = value, condition = ParseOr();
            Expression otherwise = tokens.TakeName("else") ? Parse() : _ => new UndefinedValue("the inline 'if' has no 'else'");
            value = At(offset, state => Values.IsTrue(condition(state)) ? chosen(state) : otherwise(state));
            tokens.Unknown = unknown;
        }

        tokens.Leave();
        return value;
    }

    /// <summary>Compiles the filters and tests behind a value.</summary>
    public Expression ParseFilters(Expression value)
    {
        _primary.Expressions = this;
        return _primary.ParseFiltersAndTests(value);
    }

    /// <summary>Compiles one filter whose bar is taken already, or left out.</summary>
    public Expression ParseFilter(Expression value)
    {
        _primary.Expressions = this;
        return _primary.ParseFilter(value);
    }

    /// <summary>Runs an expression; an error in it that has no place yet gets this one.</summary>
    public static Expression At(int offset, Expression expression) => state =>
    {
        RenderState.GuardStack();
        try
        {
            state.Spend(1);
            return expression(state);
        }
        catch (TemplateError error) when (error.Offset < 0)
        {
            error.Offset = offset;
            throw;
        }
    };

    private bool EndsTuple() => tokens.Current.Kind is TokenKind.BlockEnd or TokenKind.PrintEnd || tokens.Current.Text is ")" or "=" or "in";

    private Expression ParseOr()
    {
        Expression value = ParseAnd();
        while (tokens.TakeName("or"))
        {
            Expression left = value, right = ParseAnd();
            value = At(tokens.Current.Offset, state => left(state) is var found && Values.IsTrue(found) ? found : right(state));
        }

        return value;
    }

    private Expression ParseAnd()
    {
        Expression value = ParseNot();
        while (tokens.TakeName("and"))
        {
            Expression left = value, right = ParseNot();
            value = At(tokens.Current.Offset, state => left(state) is var found && !Values.IsTrue(found) ? found : right(state));
        }

        return value;
    }

    private Expression ParseNot()
    {
        if (!tokens.TakeName("not")) return ParseComparison();
        tokens.Enter();
        Expression value = ParseNot();
        tokens.Leave();
        return state => !Values.IsTrue(value(state));
    }

    // a < b < c compares each with its neighbour, as in Python.
    private Expression ParseComparison()
    {
        Expression first = ParseSum();
        List<(Expression Right, Func<RenderState, object?, object?, bool> Holds)> links = [];
        int offset = tokens.Current.Offset;
        while (TakeComparison() is { } holds) links.Add((ParseSum(), holds));
        if (links.Count == 0) return first;
        return At(offset, state =>
        {
            state.Spend(links.Count);
            object? left = first(state);
            foreach ((Expression next, Func<RenderState, object?, object?, bool> holds) in links)
            {
                object? right = next(state);
                if (!holds(state, left, right)) return false;
                left = right;
            }

            return true;
        });
    }

    private Func<RenderState, object?, object?, bool>? TakeComparison()
    {
        foreach (string symbol in s_comparisons)
            if (tokens.TakeOperator(symbol)) return (state, left, right) => Values.IsTrue(Operators.Apply(state, symbol, left, right));
        if (tokens.TakeName("in")) return (state, left, right) => Values.Contains(state, right, left);
        if (!tokens.Current.IsName("not") || !tokens.Following.IsName("in")) return null;
        tokens.Take();
        tokens.Take();
        return (state, left, right) => !Values.Contains(state, right, left);
    }

    private Expression ParseSum()
    {
        Expression value = ParseConcatenation();
        while (tokens.Current.IsOperator("+") || tokens.Current.IsOperator("-")) value = Binary(value, tokens.Take(), ParseConcatenation);
        return value;
    }

    private Expression ParseConcatenation()
    {
        Expression value = ParseProduct();
        if (!tokens.Current.IsOperator("~")) return value;
        List<Expression> parts = [value];
        int offset = tokens.Current.Offset;
        while (tokens.TakeOperator("~")) parts.Add(ParseProduct());
        return At(offset, state =>
        {
            state.Spend(parts.Count);
            TextBuilder text = state.NewText();
            foreach (Expression part in parts) text.Append(Printing.ToText(state, part(state)));
            return state.Finish(text);
        });
    }

    private Expression ParseProduct()
    {
        Expression value = ParsePower();
        while (tokens.Current is { Kind: TokenKind.Operator, Text: "*" or "/" or "//" or "%" }) value = Binary(value, tokens.Take(), ParsePower);
        return value;
    }

    private Expression ParsePower()
    {
        Expression value = ParseUnary(withFilters: true);
        while (tokens.Current.IsOperator("**")) value = Binary(value, tokens.Take(), () => ParseUnary(withFilters: true));
        return value;
    }

    private Expression ParseUnary(bool withFilters)
    {
        Token sign = tokens.Current;
        Expression value;
        if (tokens.TakeOperator("-"))
        {
            tokens.Enter();
            Expression operand = ParseUnary(withFilters: false);
            tokens.Leave();
            value = At(sign.Offset, state => Operators.Negate(operand(state)));
        }
        else if (tokens.TakeOperator("+"))
        {
            tokens.Enter();
            value = ParseUnary(withFilters: false);
            tokens.Leave();
        }
        else
        {
            value = _primary.ParseWithPostfix();
        }

        return withFilters ? _primary.ParseFiltersAndTests(value) : value;
    }

    private static Expression Binary(Expression left, Token symbol, Func<Expression> parseRight)
    {
        Expression right = parseRight();
        return At(symbol.Offset, state => Operators.Apply(state, symbol.Text, left(state), right(state)));
    }
}
