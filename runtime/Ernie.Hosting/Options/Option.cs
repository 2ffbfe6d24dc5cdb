namespace Ernie.Hosting.Options;

/// <summary>
/// A row of an option table: the option's spelling, its limits and its reader. <see cref="OptionSet.Get{T}"/> gives the value
/// where it acts, so that nothing stands between the row and its use. <see cref="OptionRows"/> makes them.
/// </summary>
/// <typeparam name="T">Type of the value.</typeparam>
/// <param name="Name">Kebab-case, without dashes in front.</param>
/// <param name="Group">Heading in the help.</param>
/// <param name="Kind">What the value is.</param>
/// <param name="Help">One sentence, with the unit.</param>
/// <param name="Read">Makes the value of the texts given, which have been checked; of none when nobody gave one and there is no default.</param>
public sealed record Option<T>(string Name, OptionGroup Group, OptionKind Kind, string Help, Func<IReadOnlyList<string>, T> Read)
    : OptionDefinition(Name, Group, Kind, Help);
