using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Ernie.Hosting.Options.Parsing;

/// <summary>Reads a YAML document as the parser's events come, within limits; nothing of it is ever made a .NET type.</summary>
/// <param name="path">The file, for messages.</param>
internal sealed class YamlFile(string path)
{
    /// <summary>Lists and mappings within one another.</summary>
    public const int MostDepth = 32;

    /// <summary>Values of a document, those behind aliases counted every time: what a bomb of aliases runs into.</summary>
    public const int MostNodes = 10_000;

    private const string CoreTag = "tag:yaml.org,2002:";

    private readonly Dictionary<string, FileNode> _anchors = new(StringComparer.Ordinal);

    /// <summary>The document's root, or null when it is empty.</summary>
    /// <param name="text">The document.</param>
    /// <exception cref="OptionException">It is malformed or beyond the limits; the message says where.</exception>
    public FileNode? Read(string text)
    {
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.TryConsume<StreamEnd>(out _))
            {
                return null;
            }

            parser.Consume<DocumentStart>();
            FileNode root = ReadNode(parser, 0);
            parser.Consume<DocumentEnd>();
            return parser.TryConsume<StreamEnd>(out _) ? root : throw Error(Current(parser).Start, "the file has a second document; one is read");
        }
        catch (YamlException e)
        {
            throw new OptionException($"{Where(e.Start)}: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private FileNode ReadNode(Parser parser, int depth)
    {
        ParsingEvent next = Current(parser);
        if (depth > MostDepth)
        {
            throw Error(next.Start, $"lists and mappings are more than {MostDepth} deep");
        }

        if (next is AnchorAlias alias)
        {
            parser.Consume<AnchorAlias>();
            return _anchors.TryGetValue(alias.Value.Value, out FileNode? target) ? target : throw Error(alias.Start, $"there is no anchor '{alias.Value.Value}' before this alias");
        }

        FileNode node = next switch
        {
            Scalar => ReadScalar(parser.Consume<Scalar>()),
            SequenceStart => ReadSequence(parser, depth),
            MappingStart => ReadMapping(parser, depth),
            _ => throw Error(next.Start, "a value is missing"),
        };
        if (next is NodeEvent { Anchor.IsEmpty: false } named)
        {
            _anchors[named.Anchor.Value] = node;
        }

        return node;
    }

    private FileNode ReadSequence(Parser parser, int depth)
    {
        SequenceStart start = parser.Consume<SequenceStart>();
        RefuseTag(start, "seq");
        var items = new List<FileNode>();
        var json = new JsonArray();
        int size = 1;
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            FileNode item = ReadNode(parser, depth + 1);
            Count(ref size, item);
            items.Add(item);
            json.Add(item.Json?.DeepClone());
        }

        return new FileNode(Where(start.Start)) { Items = items, Json = json, Size = size };
    }

    private FileNode ReadMapping(Parser parser, int depth)
    {
        MappingStart start = parser.Consume<MappingStart>();
        RefuseTag(start, "map");
        var entries = new List<(FileNode Key, FileNode Value)>();
        var json = new JsonObject();
        int size = 1;
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            FileNode key = ReadNode(parser, depth + 1);
            string name = key.Text ?? throw new OptionException($"{key.Where}: a name must be a text.");
            FileNode value = ReadNode(parser, depth + 1);
            Count(ref size, value);
            if (json.ContainsKey(name))
            {
                throw new OptionException($"{key.Where}: '{Excerpt.Of(name)}' occurs twice.");
            }

            entries.Add((key, value));
            json.Add(name, value.Json?.DeepClone());
        }

        return new FileNode(Where(start.Start)) { Entries = entries, Json = json, Size = size };
    }

    // YAML's core schema: what is plain may be a null, a truth value or a number; what is quoted is a text.
    private FileNode ReadScalar(Scalar scalar)
    {
        string where = Where(scalar.Start);
        string text = scalar.Value;
        string tag = scalar.Tag.IsEmpty ? "" : scalar.Tag.Value;
        if (tag is not ("" or "!" or CoreTag + "str" or CoreTag + "int" or CoreTag + "float" or CoreTag + "bool" or CoreTag + "null"))
        {
            throw new OptionException($"{where}: the tag '{Excerpt.Of(tag)}' is not supported; values are texts, numbers, true, false, lists and mappings.");
        }

        bool isText = tag is "!" or CoreTag + "str" || scalar.Style != ScalarStyle.Plain;
        if (isText)
        {
            return new FileNode(where) { Text = text, Json = JsonValue.Create(text) };
        }

        if (text is "null" or "Null" or "NULL" or "~")
        {
            return new FileNode(where) { IsNull = true };
        }

        JsonNode json = text switch
        {
            "true" or "True" or "TRUE" => JsonValue.Create(true),
            "false" or "False" or "FALSE" => JsonValue.Create(false),
            _ when Integer(text) is { } integer => JsonValue.Create(integer),
            _ when IsDecimal(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) => JsonValue.Create(number),
            _ => JsonValue.Create(text),
        };
        return new FileNode(where) { Text = text, Json = json };
    }

    /// <summary>A whole number as YAML writes it, in tens, 0x sixteens or 0o eights; null when it is none.</summary>
    public static long? Integer(string text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
        {
            return value;
        }

        try
        {
            return text.StartsWith("0x", StringComparison.Ordinal) ? Convert.ToInt64(text[2..], 16)
                : text.StartsWith("0o", StringComparison.Ordinal) ? Convert.ToInt64(text[2..], 8) : null;
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            return null;
        }
    }

    private static bool IsDecimal(string text) => text.All(c => char.IsAsciiDigit(c) || c is '+' or '-' or '.' or 'e' or 'E');

    private void RefuseTag(NodeEvent start, string kind)
    {
        if (!start.Tag.IsEmpty && start.Tag.Value is not "!" && start.Tag.Value != CoreTag + kind)
        {
            throw Error(start.Start, $"the tag '{Excerpt.Of(start.Tag.Value)}' is not supported");
        }
    }

    private static void Count(ref int size, FileNode child)
    {
        size += child.Size;
        if (size > MostNodes)
        {
            throw new OptionException($"{child.Where}: the file has more than {MostNodes} values, those behind aliases counted.");
        }
    }

    private static ParsingEvent Current(Parser parser) => parser.Accept<ParsingEvent>(out ParsingEvent? next) ? next : throw new YamlException("The document ends too early.");

    private OptionException Error(Mark mark, string problem) => new($"{Where(mark)}: {problem}.");

    private string Where(Mark mark) => $"{path}({mark.Line},{mark.Column})";
}
