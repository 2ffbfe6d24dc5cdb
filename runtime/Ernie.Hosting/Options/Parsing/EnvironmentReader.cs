using System.Text.RegularExpressions;

namespace Ernie.Hosting.Options.Parsing;

/// <summary>Reads options from the environment.</summary>
internal static partial class EnvironmentReader
{
    private const string Prefix = "ERNIE_";

    // Variables of this project that are no options; docs/configuration.md lists them.
    private static readonly string[] s_others = ["ERNIE_DUMP", "ERNIE_NVRTC", "ERNIE_CUBIN_CACHE", "ERNIE_DEBUG"];

    // Variables that choose tests and benchmarks, under which the programs run too.
    private static readonly string[] s_tests = ["ERNIE_COMPILE_ALL", "ERNIE_PERSISTENT", "ERNIE_FULL_SIZE", "ERNIE_SANITIZE", "ERNIE_LONG_TESTS"];
    private static readonly string[] s_testPrefixes = ["ERNIE_BENCH_", "ERNIE_TEST_"];

    /// <summary>Reads.</summary>
    /// <param name="table">The options.</param>
    /// <param name="read">Reads a variable.</param>
    /// <param name="values">Receives the values.</param>
    /// <exception cref="OptionException">A value that its option does not take, or a key that is set and empty.</exception>
    public static void Read(IReadOnlyList<OptionDefinition> table, Func<string, string?> read, ValueStore values)
    {
        foreach (OptionDefinition definition in table)
        {
            foreach (string variable in definition.EnvironmentVariables.Prepend(definition.OwnEnvironmentVariable))
            {
                if (read(variable) is not { } text || IsServiceLink(variable, text))
                {
                    continue;
                }

                if (text.Length == 0)
                {
                    // Everywhere else an empty variable is one that is not set; a key that is not set opens the door.
                    if (definition.RefusesEmpty)
                    {
                        throw new OptionException($"{variable} is set and empty. Give it a value, or unset it if none is wanted.");
                    }

                    continue;
                }

                IReadOnlyList<string> texts = definition.Kind == OptionKind.TextList ? ListValue.Split(text, variable) : [text];
                values.Add(definition, [.. texts.Select(item => ValueCheck.Run(definition, item, variable))], OptionSource.Environment, variable);
                break;
            }
        }
    }

    /// <summary>Refuses variables that look like options and are none.</summary>
    /// <param name="table">Options of the command and of its siblings.</param>
    /// <param name="names">Names of the variables that are set.</param>
    /// <param name="read">Reads a variable.</param>
    /// <exception cref="OptionException">There is one; the message names the nearest option's.</exception>
    public static void RefuseUnknown(IReadOnlyList<OptionDefinition> table, IEnumerable<string> names, Func<string, string?> read)
    {
        HashSet<string> known = [.. s_others, .. s_tests, .. table.Select(definition => definition.OwnEnvironmentVariable)];
        foreach (string name in names.Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && !known.Contains(name)).Order(StringComparer.Ordinal))
        {
            if (!IsServiceLink(name, read(name) ?? "") && !s_testPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
            {
                string hint = NearestName.Find(name, known) is { } nearest ? $"Did you mean {nearest}?" : "--help lists the options; a variable is ERNIE_ and the option's name.";
                throw new OptionException($"The variable {Excerpt.Of(name)} names no option. {hint}");
            }
        }
    }

    // Kubernetes and Docker set such variables beside a service that is called ernie: ERNIE_PORT=tcp://10.0.0.1:8000, ERNIE_SERVICE_HOST.
    private static bool IsServiceLink(string name, string value) => ServiceLink().IsMatch(name) || (name == "ERNIE_PORT" && value.Contains("://", StringComparison.Ordinal));

    [GeneratedRegex(@"_SERVICE_(HOST|PORT)(_.*)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$", RegexOptions.CultureInvariant)]
    private static partial Regex ServiceLink();
}
