using System.Runtime.CompilerServices;

namespace Ernie.Tokenization.Jinja;

/// <summary>One rendering: variables, output and what it has used up.</summary>
internal sealed class RenderState(TemplateLimits limits, Scope scope, DateTimeOffset now)
{
    private long _steps;
    private long _characters;
    private int _callDepth;

    /// <summary>The innermost variables.</summary>
    public Scope Scope { get; set; } = scope;

    /// <summary>Where text goes.</summary>
    public TextBuilder Output { get; set; } = new(limits.MaximumCharacters);

    /// <summary>The time that <c>strftime_now</c> formats.</summary>
    public DateTimeOffset Now { get; } = now;

    /// <summary>Where an intermediate text is built.</summary>
    public TextBuilder NewText() => new(limits.MaximumCharacters);

    /// <summary>The text that was built, counted against the limit of all texts together.</summary>
    public TextValue Finish(TextBuilder text)
    {
        SpendCharacters(text.Length);
        return text.ToValue();
    }

    /// <summary>Counts characters of an intermediate text.</summary>
    public void SpendCharacters(long count)
    {
        if (count > limits.MaximumCharacters) throw new TemplateError($"the text grows beyond {limits.MaximumCharacters} characters");
        _characters += count;
        if (_characters > limits.MaximumTotalCharacters) throw new TemplateError($"intermediate texts grow beyond {limits.MaximumTotalCharacters} characters");
    }

    /// <summary>Counts steps.</summary>
    public void Spend(long steps)
    {
        _steps += steps;
        if (_steps > limits.MaximumSteps) throw new TemplateError($"the template takes more than {limits.MaximumSteps} steps");
    }

    /// <summary>Runs a macro's body with its own variables and output.</summary>
    public TextValue Capture(Scope inner, Action<RenderState> body)
    {
        if (_callDepth == limits.MaximumCallDepth) throw new TemplateError($"macro calls nest deeper than {limits.MaximumCallDepth}");
        _callDepth++;
        (Scope scope, TextBuilder output) = (Scope, Output);
        (Scope, Output) = (inner, NewText());
        try
        {
            body(this);
            return Finish(Output);
        }
        finally
        {
            (Scope, Output) = (scope, output);
            _callDepth--;
        }
    }

    /// <summary>Stops nesting of any kind before the thread's stack ends.</summary>
    public static void GuardStack()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new TemplateError("values or expressions nest too deeply");
    }
}
