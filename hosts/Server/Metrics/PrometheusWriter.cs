using System.Globalization;
using System.Text;
using Ernie.Server.Metrics.Catalogue;

namespace Ernie.Server.Metrics;

/// <summary>Writes Prometheus' text exposition format, version 0.0.4.</summary>
/// <param name="modelName">Value of the label <c>model_name</c> that every sample carries, as vLLM's do.</param>
internal sealed class PrometheusWriter(string modelName)
{
    private readonly StringBuilder _text = new();

    /// <summary>Starts a metric; its samples follow.</summary>
    public void Header(string name, string help, MetricKind kind) =>
        _text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(Word(kind)).Append('\n');

    /// <summary>Writes a sample.</summary>
    public void Sample(string name, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        _text.Append(name).Append('{');
        Label("model_name", modelName);
        // vLLM numbers its engines, and its dashboards sum over them.
        if (name.StartsWith("vllm:", StringComparison.Ordinal))
        {
            _text.Append(',');
            Label("engine", "0");
        }

        foreach ((string label, string text) in labels)
        {
            _text.Append(',');
            Label(label, text);
        }

        _text.Append("} ").Append(Format(value)).Append('\n');
    }

    /// <summary>A number as Prometheus reads it.</summary>
    public static string Format(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    /// <summary>The text so far.</summary>
    public override string ToString() => _text.ToString();

    private static string Word(MetricKind kind) => kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Gauge => "gauge",
        _ => "histogram",
    };

    private void Label(string name, string value)
    {
        _text.Append(name).Append("=\"");
        foreach (char character in value)
        {
            _ = character switch
            {
                '\\' => _text.Append("\\\\"),
                '"' => _text.Append("\\\""),
                '\n' => _text.Append("\\n"),
                _ => _text.Append(character),
            };
        }

        _text.Append('"');
    }
}
