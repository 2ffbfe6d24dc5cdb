namespace Ernie.Tokenization.Jinja;

/// <summary>Compiles a template's statements.</summary>
internal sealed class StatementParser(TokenStream tokens)
{
    // No template can spell this name.
    private const string CapturedName = "\0captured";

    private readonly ExpressionParser _expressions = new(tokens);

    /// <summary>Compiles a whole template.</summary>
    /// <exception cref="TemplateError">The template is not well formed, or uses an unsupported statement.</exception>
    public Statement ParseTemplate()
    {
        Statement body = ParseBody();
        if (tokens.Current.Kind != TokenKind.End) throw new TemplateError($"{tokens.Following.Describe()} ends nothing", tokens.Following.Offset);
        return tokens.Unknown is { } unknown ? throw unknown : body;
    }

    // Ends before a block tag whose name is one of the given, or at the end of the template when there are none.
    private Statement ParseBody(params string[] ends)
    {
        tokens.Enter();
        List<Statement> statements = [];
        while (tokens.Current.Kind != TokenKind.End)
        {
            if (tokens.Current.Kind == TokenKind.BlockBegin && tokens.Following is { Kind: TokenKind.Name } name && (ends.Contains(name.Text) || IsEnd(name.Text))) break;
            statements.Add(ParseStatement());
        }

        tokens.Leave();
        Statement[] body = [.. statements];
        return state => Run(state, body);
    }

    private static bool IsEnd(string name) => name.StartsWith("end", StringComparison.Ordinal) || name is "else" or "elif";

    private static Flow Run(RenderState state, Statement[] body)
    {
        foreach (Statement statement in body)
        {
            state.Spend(1);
            Flow flow = statement(state);
            if (flow != Flow.Next) return flow;
        }

        return Flow.Next;
    }

    private Statement ParseStatement()
    {
        Token token = tokens.Take();
        if (token.Kind == TokenKind.Data)
        {
            string text = token.Text;
            return Located(token.Offset, state => Write(state, text));
        }

        if (token.Kind == TokenKind.PrintBegin)
        {
            Expression value = _expressions.ParseTuple();
            tokens.Expect(TokenKind.PrintEnd, "'}}'");
            return Located(token.Offset, state => Write(state, Printing.ToText(state, value(state))));
        }

        Token name = tokens.Expect(TokenKind.Name, "a statement's name");
        Statement statement = name.Text switch
        {
            "set" => ParseSet(),
            "if" => ParseIf(),
            "for" => ParseFor(name),
            "macro" => ParseMacro(),
            "filter" => ParseFilterBlock(),
            // Marks what the assistant says, for training; renders as its body.
            "generation" => ParseBlock("endgeneration"),
            "break" => Leave(Flow.Break),
            "continue" => Leave(Flow.Continue),
            _ => throw new TemplateError($"the statement {name.Describe()} is not supported", name.Offset),
        };
        return Located(name.Offset, statement);
    }

    private static Flow Write(RenderState state, string text)
    {
        state.SpendText(text.Length);
        state.Output.Append(text);
        return Flow.Next;
    }

    private static Flow Write(RenderState state, TextValue text)
    {
        state.SpendText(text.Text.Length);
        state.Output.Append(text);
        return Flow.Next;
    }

    private static Statement Located(int offset, Statement statement) => state =>
    {
        RenderState.GuardStack();
        try
        {
            return statement(state);
        }
        catch (TemplateError error) when (error.Offset < 0)
        {
            error.Offset = offset;
            throw;
        }
    };

    private void EndTag() => tokens.Expect(TokenKind.BlockEnd, "'%}'");

    private void EndBlock(string end)
    {
        Token found = tokens.Following;
        if (tokens.Current.Kind != TokenKind.BlockBegin || !found.IsName(end)) throw new TemplateError($"'{end}' is needed, not {(tokens.Current.Kind == TokenKind.End ? tokens.Current : found).Describe()}", tokens.Current.Offset);
        tokens.Take();
        tokens.Take();
        EndTag();
    }

    private Statement Leave(Flow flow)
    {
        EndTag();
        return _ => flow;
    }

    private Statement ParseBlock(string end)
    {
        EndTag();
        Statement body = ParseBody(end);
        EndBlock(end);
        return body;
    }

    private Statement ParseSet()
    {
        Assignment target = Assignment.Parse(tokens, allowAttribute: true);
        if (tokens.TakeOperator("="))
        {
            Expression value = _expressions.ParseTuple();
            EndTag();
            return state =>
            {
                target.Assign(state, value(state));
                return Flow.Next;
            };
        }

        // {% set x %}…{% endset %}: the text of the body, through filters if there are any.
        Expression text = _expressions.ParseFilters(Captured);
        Statement body = ParseBlock("endset");
        return state =>
        {
            target.Assign(state, Capture(state, body, text));
            return Flow.Next;
        };
    }

    private Statement ParseFilterBlock()
    {
        Expression value = _expressions.ParseFilters(_expressions.ParseFilter(Captured));
        Statement body = ParseBlock("endfilter");
        return state => Write(state, Printing.ToText(state, Capture(state, body, value)));
    }

    private static object? Captured(RenderState state) => state.Scope.TryGet(CapturedName, out object? value) ? value : TextValue.Empty;

    private static object? Capture(RenderState state, Statement body, Expression value)
    {
        Scope outer = state.Scope, inner = new(outer);
        inner.Set(CapturedName, state.Capture(new Scope(outer), inside => body(inside)));
        state.Scope = inner;
        try
        {
            return value(state);
        }
        finally
        {
            state.Scope = outer;
        }
    }

    private Statement ParseIf()
    {
        List<(Expression Condition, Statement Body)> branches = [];
        Statement? otherwise = null;
        TemplateError? unknown = tokens.Unknown;
        do
        {
            Expression condition = _expressions.ParseTuple();
            EndTag();
            branches.Add((condition, ParseBody("elif", "else", "endif")));
        }
        while (TakeBranch("elif"));
        if (TakeBranch("else"))
        {
            EndTag();
            otherwise = ParseBody("endif");
        }

        EndBlock("endif");
        tokens.Unknown = unknown;
        return state =>
        {
            foreach ((Expression condition, Statement body) in branches)
                if (Values.IsTrue(condition(state))) return body(state);
            return otherwise?.Invoke(state) ?? Flow.Next;
        };
    }

    private bool TakeBranch(string name)
    {
        bool found = tokens.Current.Kind == TokenKind.BlockBegin && tokens.Following.IsName(name);
        if (!found) return false;
        tokens.Take();
        tokens.Take();
        return true;
    }

    private Statement ParseFor(Token start)
    {
        Assignment target = Assignment.Parse(tokens, allowAttribute: false);
        if (!tokens.TakeName("in")) throw new TemplateError($"'in' is needed, not {tokens.Current.Describe()}", tokens.Current.Offset);
        Expression items = _expressions.ParseTuple(allowCondition: false);
        Expression? condition = tokens.TakeName("if") ? _expressions.Parse() : null;
        if (tokens.Current.IsName("recursive")) throw new TemplateError("recursive loops are not supported", tokens.Current.Offset);
        EndTag();
        Statement body = ParseBody("else", "endfor");
        Statement? otherwise = null;
        if (TakeBranch("else"))
        {
            EndTag();
            otherwise = ParseBody("endfor");
        }

        EndBlock("endfor");
        return new ForLoop(target, ExpressionParser.At(start.Offset, items), condition, body, otherwise).Run;
    }

    private Statement ParseMacro()
    {
        Token name = tokens.Expect(TokenKind.Name, "the macro's name");
        List<(string Name, Expression? Default)> parameters = [];
        tokens.Expect("(");
        while (!tokens.TakeOperator(")"))
        {
            if (parameters.Count > 0) tokens.Expect(",");
            Token parameter = tokens.Expect(TokenKind.Name, "a parameter's name");
            parameters.Add((parameter.Text, tokens.TakeOperator("=") ? _expressions.Parse() : null));
        }

        Statement body = ParseBlock("endmacro");
        return new Macro(name.Text, parameters, body).Define;
    }
}
