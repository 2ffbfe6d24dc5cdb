namespace Ernie.Tokenization.Jinja;

/// <summary>A function, method or macro.</summary>
/// <param name="name">Its name, for errors.</param>
/// <param name="body">What it does.</param>
internal sealed class Callable(string name, Func<RenderState, CallArguments, object?> body)
{
    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>Calls it, and counts the strings that it is given.</summary>
    /// <exception cref="TemplateError">It fails, or does not take these arguments.</exception>
    public object? Invoke(RenderState state, CallArguments arguments)
    {
        state.Spend(1);
        arguments.Spend(state);
        object? result = body(state, arguments);
        arguments.RefuseUnread();
        return result;
    }
}
