using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Ernie.Tokenization.Jinja;

/// <summary>One rendering: variables, output and what it has used up.</summary>
/// <remarks>
/// Work is counted in steps. An expression, a statement or an item that is touched is one; so are <see cref="CharactersPerStep"/>
/// characters that are read or written. Whatever touches data counts it, so that steps bound the time and the memory of a rendering;
/// the deadline and the caller's token are looked at every few thousand steps.
/// </remarks>
internal sealed class RenderState(TemplateLimits limits, Scope scope, DateTimeOffset now, CancellationToken cancellationToken = default)
{
    /// <summary>Characters that cost as much as one expression: reading one takes a nanosecond or two, evaluating an expression some thirty.</summary>
    public const int CharactersPerStep = 32;

    // A millisecond or less between two looks at the clock.
    private const long StepsBetweenLooks = 1 << 14;

    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private long _nextLook;
    private long _characters;
    private int _callDepth;

    /// <summary>The innermost variables.</summary>
    public Scope Scope { get; set; } = scope;

    /// <summary>Where text goes.</summary>
    public TextBuilder Output { get; set; } = new(limits.MaximumCharacters);

    /// <summary>The time that <c>strftime_now</c> formats.</summary>
    public DateTimeOffset Now { get; } = now;

    /// <summary>Steps so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Where an intermediate text is built.</summary>
    public TextBuilder NewText() => new(limits.MaximumCharacters);

    /// <summary>The text that was built, counted against the limit of all texts together.</summary>
    public TextValue Finish(TextBuilder text)
    {
        SpendNewText(text.Length);
        return text.ToValue();
    }

    /// <summary>Counts characters of a new text, before it is built where its length is known.</summary>
    public void SpendNewText(long characters)
    {
        if (characters > limits.MaximumCharacters) throw new TemplateError($"the text grows beyond {limits.MaximumCharacters} characters");
        _characters += characters;
        if (_characters > limits.MaximumTotalCharacters) throw new TemplateError($"intermediate texts grow beyond {limits.MaximumTotalCharacters} characters");
        SpendText(characters);
    }

    /// <summary>Counts characters that are read.</summary>
    public void SpendText(long characters) => Spend(1 + (characters / CharactersPerStep));

    /// <summary>Counts the characters of a value that is a text; of other values, what reads them counts the items.</summary>
    public void SpendText(object? value)
    {
        if (value is TextValue text) SpendText(text.Text.Length);
    }

    /// <summary>Counts steps.</summary>
    /// <exception cref="TemplateError">There were too many, or they took too long.</exception>
    /// <exception cref="OperationCanceledException">Nobody waits for the text any more.</exception>
    public void Spend(long steps)
    {
        Steps += steps;
        if (Steps >= _nextLook) Look();
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

    private void Look()
    {
        if (Steps > limits.MaximumSteps) throw new TemplateError($"the template takes more than {limits.MaximumSteps} steps");
        cancellationToken.ThrowIfCancellationRequested();
        if (Stopwatch.GetElapsedTime(_startedAt) >= limits.MaximumTime) throw new TemplateError($"the template takes longer than {limits.MaximumTime.TotalSeconds:0.###} s");
        _nextLook = Math.Min(Steps + StepsBetweenLooks, limits.MaximumSteps + 1);
    }
}
