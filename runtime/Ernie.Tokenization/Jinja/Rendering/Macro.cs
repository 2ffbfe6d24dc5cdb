namespace Ernie.Tokenization.Jinja;

/// <summary>A <c>macro</c> statement: defines a function that renders its body.</summary>
internal sealed class Macro(string name, List<(string Name, Expression? Default)> parameters, Statement body)
{
    /// <summary>Defines it in the current scope.</summary>
    public Flow Define(RenderState state)
    {
        Scope definition = state.Scope;
        definition.Set(name, new Callable(name, (caller, arguments) => Call(caller, definition, arguments)));
        return Flow.Next;
    }

    private TextValue Call(RenderState state, Scope definition, CallArguments arguments)
    {
        RenderState.GuardStack();
        var variables = new Scope(definition);
        return state.Capture(variables, inside =>
        {
            for (int index = 0; index < parameters.Count; index++)
            {
                (string parameter, Expression? fallback) = parameters[index];
                bool given = arguments.TryRead(index, parameter, out object? value);
                variables.Set(parameter, given ? value : fallback is null ? new UndefinedValue($"parameter '{parameter}' was not provided") : fallback(inside));
            }

            var rest = new DictionaryValue();
            variables.Set("varargs", new ListValue(arguments.Rest(parameters.Count), isTuple: true));
            foreach ((string argument, object? value) in arguments.RestNamed()) rest.Set(TextValue.OfTemplate(argument), value);
            variables.Set("kwargs", rest);
            body(inside);
        });
    }
}
