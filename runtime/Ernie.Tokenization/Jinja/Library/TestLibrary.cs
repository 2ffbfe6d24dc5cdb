namespace Ernie.Tokenization.Jinja;

/// <summary>The tests behind <c>is</c>.</summary>
internal static class TestLibrary
{
    private static readonly Dictionary<string, Test> s_tests = new(StringComparer.Ordinal)
    {
        ["defined"] = (_, value, _) => value is not UndefinedValue,
        ["undefined"] = (_, value, _) => value is UndefinedValue,
        ["none"] = (_, value, _) => value is null,
        ["boolean"] = (_, value, _) => value is bool,
        ["true"] = (_, value, _) => value is true,
        ["false"] = (_, value, _) => value is false,
        ["string"] = (_, value, _) => value is TextValue,
        ["number"] = (_, value, _) => Values.IsNumber(value),
        ["integer"] = (_, value, _) => value is long,
        ["float"] = (_, value, _) => value is double,
        ["mapping"] = (_, value, _) => value is DictionaryValue,
        ["sequence"] = (_, value, _) => value is TextValue or ListValue or DictionaryValue,
        ["iterable"] = (_, value, _) => value is TextValue or ListValue or DictionaryValue or UndefinedValue,
        ["callable"] = (_, value, _) => value is Callable,
        ["lower"] = (_, value, _) => value is TextValue text && !text.Text.Any(char.IsUpper) && text.Text.Any(char.IsLower),
        ["upper"] = (_, value, _) => value is TextValue text && !text.Text.Any(char.IsLower) && text.Text.Any(char.IsUpper),
        ["odd"] = (_, value, _) => (RequireInteger(value) & 1) == 1,
        ["even"] = (_, value, _) => (RequireInteger(value) & 1) == 0,
        ["divisibleby"] = (_, value, arguments) => RequireInteger(arguments.Required(0, "num")) is not 0 and long divisor ? RequireInteger(value) % divisor == 0 : throw new TemplateError("division by zero"),
        ["in"] = (state, value, arguments) => Values.Contains(state, arguments.Required(0, "seq"), value),
        ["sameas"] = (_, value, arguments) => arguments.Required(0, "other") is var other && (ReferenceEquals(value, other) || (value is bool or long && other is bool or long && value.Equals(other))),
        ["filter"] = (_, value, arguments) => FilterLibrary.Find(Values.RequireText(value, arguments.Callee).Text) is not null,
        ["test"] = (_, value, arguments) => Find(Values.RequireText(value, arguments.Callee).Text) is not null,
        ["eq"] = Compare("=="), ["equalto"] = Compare("=="), ["=="] = Compare("=="),
        ["ne"] = Compare("!="), ["!="] = Compare("!="),
        ["lt"] = Compare("<"), ["lessthan"] = Compare("<"), ["<"] = Compare("<"),
        ["le"] = Compare("<="), ["<="] = Compare("<="),
        ["gt"] = Compare(">"), ["greaterthan"] = Compare(">"), [">"] = Compare(">"),
        ["ge"] = Compare(">="), [">="] = Compare(">="),
    };

    /// <summary>The names of all tests.</summary>
    public static IEnumerable<string> Names => s_tests.Keys;

    /// <summary>Finds a test, or null. Whatever it does, it counts the strings that it is given.</summary>
    public static Test? Find(string name) => !s_tests.TryGetValue(name, out Test? test) ? null : (state, value, arguments) =>
    {
        state.SpendText(value);
        arguments.Spend(state);
        return test(state, value, arguments);
    };

    private static Test Compare(string symbol) => (state, value, arguments) => Values.IsTrue(Operators.Apply(state, symbol, value, arguments.Required(0, "other")));

    private static long RequireInteger(object? value) => value is long or bool ? Values.ToLong(value) : throw new TemplateError($"an integer is needed, not {Values.TypeName(value)}");
}
