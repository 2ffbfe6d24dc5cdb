using System.Globalization;

namespace Ernie.Hosting.Options;

/// <summary>Makes the rows of one group and keeps them in order. To add an option is to add a row and to read it.</summary>
/// <param name="group">Heading in the help.</param>
public sealed class OptionRows(OptionGroup group)
{
    private readonly List<OptionDefinition> _rows = [];

    /// <summary>The rows made so far, in order.</summary>
    public IReadOnlyList<OptionDefinition> All => _rows;

    /// <summary>A text with a default.</summary>
    public Option<string> Text(
        string name, string help, string standard, IReadOnlyList<string>? aliases = null, IReadOnlyList<string>? variables = null,
        IReadOnlyDictionary<string, string>? synonyms = null, Func<string, string?>? fault = null, bool takesMapping = false) =>
        Add(new Option<string>(name, group, OptionKind.Text, help, texts => texts[^1])
        {
            Default = standard, Aliases = aliases ?? [], EnvironmentVariables = variables ?? [], Synonyms = synonyms ?? new Dictionary<string, string>(), FindFault = fault, TakesMapping = takesMapping,
        });

    /// <summary>A text, or null.</summary>
    public Option<string?> OptionalText(
        string name, string help, IReadOnlyList<string>? aliases = null, IReadOnlyList<string>? variables = null, Func<string, string?>? fault = null,
        bool refusesEmpty = false, bool isSecret = false) =>
        Add(new Option<string?>(name, group, OptionKind.Text, help, texts => texts.Count == 0 ? null : texts[^1])
        {
            Aliases = aliases ?? [], EnvironmentVariables = variables ?? [], FindFault = fault, RefusesEmpty = refusesEmpty, IsSecret = isSecret,
        });

    /// <summary>Texts, in the order given.</summary>
    public Option<IReadOnlyList<string>> TextList(
        string name, string help, IReadOnlyList<string>? aliases = null, IReadOnlyList<string>? variables = null, Func<string, string?>? fault = null,
        bool takesSeveral = false, bool refusesEmpty = false, bool isSecret = false) =>
        Add(new Option<IReadOnlyList<string>>(name, group, OptionKind.TextList, help, texts => texts)
        {
            Aliases = aliases ?? [], EnvironmentVariables = variables ?? [], FindFault = fault, TakesSeveral = takesSeveral, RefusesEmpty = refusesEmpty, IsSecret = isSecret,
        });

    /// <summary>One word of several.</summary>
    public Option<string> Choice(string name, string help, string standard, IReadOnlyList<string> choices, IReadOnlyList<string>? variables = null) =>
        Choice(name, help, standard, [.. choices.Select(choice => (choice, choice))], variables: variables);

    /// <summary>One word of several, each with what it stands for.</summary>
    public Option<T> Choice<T>(
        string name, string help, string standard, IReadOnlyList<(string Word, T Value)> choices, IReadOnlyList<string>? aliases = null,
        IReadOnlyList<string>? variables = null, IReadOnlyDictionary<string, string>? synonyms = null, OptionKind kind = OptionKind.Text) =>
        Add(new Option<T>(name, group, kind, help, texts => choices.First(choice => choice.Word == texts[^1]).Value)
        {
            Default = standard,
            Choices = [.. choices.Select(choice => choice.Word)],
            Aliases = aliases ?? [],
            EnvironmentVariables = variables ?? [],
            Synonyms = synonyms ?? new Dictionary<string, string>(),
        });

    /// <summary>A whole number with a default.</summary>
    public Option<int> WholeNumber(string name, string help, int standard, int least, int most = int.MaxValue, IReadOnlyList<string>? aliases = null, string? advice = null) =>
        Add(new Option<int>(name, group, OptionKind.WholeNumber, help, texts => Whole(texts[^1]))
        {
            Default = standard.ToString(CultureInfo.InvariantCulture), Range = new OptionRange(least, most), Aliases = aliases ?? [], Advice = advice,
        });

    /// <summary>A whole number, or null.</summary>
    public Option<int?> OptionalWholeNumber(string name, string help, int least, int most = int.MaxValue) =>
        Add(new Option<int?>(name, group, OptionKind.WholeNumber, help, texts => texts.Count == 0 ? null : Whole(texts[^1])) { Range = new OptionRange(least, most) });

    /// <summary>A seed: any whole number of 64 bits, or null; a negative one counts from the other end.</summary>
    public Option<ulong?> OptionalSeed(string name, string help) =>
        Add(new Option<ulong?>(
            name, group, OptionKind.WholeNumber, help,
            texts => texts.Count == 0 ? null : unchecked((ulong)long.Parse(texts[^1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture))));

    /// <summary>A number with a default.</summary>
    public Option<double> Number(string name, string help, double standard, OptionRange? range = null, IReadOnlyList<string>? aliases = null) =>
        Add(new Option<double>(name, group, OptionKind.Number, help, texts => Real(texts[^1]))
        {
            Default = standard.ToString("R", CultureInfo.InvariantCulture), Range = range, Aliases = aliases ?? [],
        });

    /// <summary>A number, or null.</summary>
    public Option<double?> OptionalNumber(string name, string help, OptionRange? range = null) =>
        Add(new Option<double?>(name, group, OptionKind.Number, help, texts => texts.Count == 0 ? null : Real(texts[^1])) { Range = range });

    /// <summary>A switch.</summary>
    public Option<bool> Switch(string name, string help, bool standard = false, IReadOnlyList<string>? aliases = null) =>
        Add(new Option<bool>(name, group, OptionKind.Boolean, help, texts => texts[^1] == "true") { Default = standard ? "true" : "false", Aliases = aliases ?? [] });

    /// <summary>A JSON object as text, or null.</summary>
    public Option<string?> OptionalJson(string name, string help) =>
        Add(new Option<string?>(name, group, OptionKind.Json, help, texts => texts.Count == 0 ? null : texts[^1]) { TakesMapping = true });

    /// <summary>Options that have no effect, for one reason: nothing lacks without them.</summary>
    /// <param name="reason">Why, in the middle of a sentence.</param>
    /// <param name="names">Their names; a short form may follow a blank, as in "tensor-parallel-size -tp".</param>
    /// <param name="kind">Boolean for switches; a TextList takes several words.</param>
    /// <param name="asksNothing">Values of which nothing need be said.</param>
    public void Ignore(string reason, string[] names, OptionKind kind = OptionKind.Text, params string[] asksNothing)
    {
        foreach (string[] name in names.Select(name => name.Split(' ')))
        {
            _rows.Add(new OptionDefinition(name[0], group, kind, $"No effect: {reason}.")
            {
                IgnoredBecause = reason, Aliases = name[1..], AskNothing = asksNothing, TakesSeveral = kind == OptionKind.TextList, TakesMapping = true,
            });
        }
    }

    /// <summary>Options that are refused, for one reason: without them users would get something else than was asked for.</summary>
    /// <param name="reason">Why, and what would work, in the middle of a sentence.</param>
    /// <param name="names">Their names, as in <see cref="Ignore"/>.</param>
    /// <param name="kind">Boolean for switches; a TextList takes several words.</param>
    /// <param name="asksNothing">Values that are taken, for they ask for what there is.</param>
    public void Refuse(string reason, string[] names, OptionKind kind = OptionKind.Text, params string[] asksNothing)
    {
        foreach (string[] name in names.Select(name => name.Split(' ')))
        {
            _rows.Add(new OptionDefinition(name[0], group, kind, $"Not supported: {reason}.")
            {
                RefusedBecause = reason, Aliases = name[1..], AskNothing = kind == OptionKind.Boolean ? [.. asksNothing, "false"] : asksNothing,
                TakesSeveral = kind == OptionKind.TextList, TakesMapping = true,
            });
        }
    }

    private Option<T> Add<T>(Option<T> row)
    {
        _rows.Add(row);
        return row;
    }

    private static int Whole(string text) => int.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    private static double Real(string text) => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
}
