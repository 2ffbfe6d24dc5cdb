namespace Ernie.Graph.Tests;

/// <summary>
/// Evaluates a graph in double precision, in the plainest way, over one sequence from its first token on. Encodings are ignored:
/// every weight is what <see cref="Weight"/> gives for its name, so that graphs with equal weights give equal numbers.
/// </summary>
internal sealed class ReferenceInterpreter
{
    private readonly ModelGraph _graph;
    private readonly int[] _tokens;
    private readonly int[] _logitRows;
    private readonly double[]?[,] _values;

    private ReferenceInterpreter(ModelGraph graph, int[] tokens, int[] logitRows)
    {
        _graph = graph;
        _tokens = tokens;
        _logitRows = logitRows;
        _values = new double[]?[graph.Values.Length, Math.Max(tokens.Length, 1)];
    }

    /// <summary>Logits of the wanted rows and hidden states of all tokens, one after the other.</summary>
    public static double[] Run(ModelGraph graph, int[] tokens, int[] logitRows)
    {
        var interpreter = new ReferenceInterpreter(graph, tokens, logitRows);
        foreach (GraphNode node in graph.Nodes)
        {
            interpreter.Evaluate(node);
        }

        IEnumerable<double> logits = Enumerable.Range(0, logitRows.Length).SelectMany(row => interpreter.Row(graph.Logits, row));
        return [.. logits, .. Enumerable.Range(0, tokens.Length).SelectMany(row => interpreter.Row(graph.Hidden, row))];
    }

    /// <summary>Runs the parts of a model side by side: logits of the wanted rows, ranks' columns one after the other, and the hidden states that rank 0 has.</summary>
    public static double[] RunParts(IReadOnlyList<ModelGraph> parts, int[] tokens, int[] logitRows)
    {
        ReferenceInterpreter[] ranks = [.. parts.Select(part => new ReferenceInterpreter(part, tokens, logitRows))];
        for (int index = 0; index < parts[0].Nodes.Length; index++)
        {
            foreach (ReferenceInterpreter rank in ranks)
            {
                if (rank._graph.Nodes[index] is AllReduceNode reduce)
                {
                    rank.ForEachRow(reduce.Output, row => [.. ranks.Select(other => other.Row(reduce.Input, row)).Aggregate(Add)]);
                }
                else
                {
                    rank.Evaluate(rank._graph.Nodes[index]);
                }
            }
        }

        IEnumerable<double> logits = Enumerable.Range(0, logitRows.Length).SelectMany(row => ranks.SelectMany(rank => rank.Row(rank._graph.Logits, row)));
        return [.. logits, .. Enumerable.Range(0, tokens.Length).SelectMany(row => ranks[0].Row(parts[0].Hidden, row))];
    }

    private void Evaluate(GraphNode node)
    {
        switch (node)
        {
            case EmbedNode embed:
                ForEachRow(embed.Output, row => Embed(embed.Table, _tokens[row]));
                break;
            case RmsNormNode norm:
                ForEachRow(norm.Output, row => Normalize(Row(norm.Input, row), norm.Weight, norm.Epsilon));
                break;
            case AddRmsNormNode fused:
                ForEachRow(fused.Sum, row => Add(Row(fused.Left, row), Row(fused.Right, row)));
                ForEachRow(fused.Normalized, row => Normalize(Row(fused.Sum, row), fused.Weight, fused.Epsilon));
                break;
            case HeadNormNode norm:
                ForEachRow(norm.Output, row => [.. Row(norm.Input, row).Chunk(norm.Weight.Rows).SelectMany(head => Normalize(head, norm.Weight, norm.Epsilon))]);
                break;
            case LinearNode linear:
                ForEachRow(linear.Output, row => Multiply(Row(linear.Input, row), linear.Weight));
                break;
            case RopeTableNode:
                break;
            case RopeNode rope:
                ForEachRow(rope.Output, row => Rotate(Row(rope.Input, row), row, rope));
                break;
            case AttentionNode attention:
                ForEachRow(attention.Output, row => Attend(attention, row));
                break;
            case SwiGluNode swiGlu:
                ForEachRow(swiGlu.Output, row => Gate(Row(swiGlu.Gate, row), Row(swiGlu.Up, row)));
                break;
            case AddNode add:
                ForEachRow(add.Output, row => Add(Row(add.Left, row), Row(add.Right, row)));
                break;
            case SelectLogitRowsNode select:
                ForEachRow(select.Output, row => Row(select.Input, _logitRows[row]));
                break;
            case SliceNode slice:
                ForEachRow(slice.Output, row => Row(slice.Input, row)[slice.Start..(slice.Start + slice.Width)]);
                break;
            case RouterNode router:
                Choose(row => Multiply(Row(router.Input, row), router.Gate), router.Correction, router.ExpertsPerToken, router.WeightFloor, router.Weights, router.Experts);
                break;
            case SelectExpertsNode select:
                Choose(row => Row(select.Scores, row), select.Correction, select.ExpertsPerToken, select.WeightFloor, select.Weights, select.Experts);
                break;
            case ExpertsNode experts:
                ForEachRow(experts.Output, row => Mix(experts, row));
                break;
            default:
                throw new NotSupportedException(node.GetType().Name);
        }
    }

    private double[] Row(ValueId value, int row) => _values[value.Index, row]!;

    private void ForEachRow(ValueId output, Func<int, double[]> compute)
    {
        int rows = _graph[output].Rows == RowAxis.Tokens ? _tokens.Length : _logitRows.Length;
        for (int row = 0; row < rows; row++)
        {
            double[] result = compute(row);
            Assert.Equal(_graph[output].Width, result.Length);
            _values[output.Index, row] = result;
        }
    }

    private double[] Attend(AttentionNode node, int row)
    {
        var output = new double[node.QueryHeads * node.HeadDim];
        for (int head = 0; head < node.QueryHeads; head++)
        {
            int shared = head / (node.QueryHeads / node.KeyValueHeads);
            double[] query = Row(node.Query, row)[(head * node.HeadDim)..((head + 1) * node.HeadDim)];
            double[] scores =
            [
                .. Enumerable.Range(0, row + 1).Select(past => query.Zip(Row(node.Key, past).Skip(shared * node.HeadDim), (a, b) => a * b).Sum() / Math.Sqrt(node.HeadDim)),
            ];
            double[] weights = Softmax(scores);
            for (int column = 0; column < node.HeadDim; column++)
            {
                output[(head * node.HeadDim) + column] = weights.Select((weight, past) => weight * Row(node.Value, past)[(shared * node.HeadDim) + column]).Sum();
            }
        }

        return output;
    }

    private void Choose(Func<int, double[]> scores, TensorReference correction, int count, double floor, ValueId weights, ValueId experts)
    {
        for (int row = 0; row < _tokens.Length; row++)
        {
            double[] probabilities = Softmax(scores(row));
            int[] chosen = [.. Enumerable.Range(0, probabilities.Length).OrderByDescending(expert => probabilities[expert] + Weight(correction, 0, expert)).Take(count)];
            double sum = Math.Max(chosen.Sum(expert => probabilities[expert]), floor);
            _values[weights.Index, row] = [.. chosen.Select(expert => probabilities[expert] / sum)];
            _values[experts.Index, row] = [.. chosen.Select(expert => (double)expert)];
        }
    }

    private double[] Mix(ExpertsNode node, int row)
    {
        var output = new double[_graph[node.Output].Width];
        double[] input = Row(node.Input, row);
        foreach ((double expert, double weight) in Row(node.Experts, row).Zip(Row(node.Weights, row)))
        {
            ExpertWeights projections = node.Projections[(int)expert];
            double[] result = Multiply(Gate(Multiply(input, projections.Gate), Multiply(input, projections.Up)), projections.Down);
            output = Add(output, [.. result.Select(element => weight * element)]);
        }

        return output;
    }

    private static double[] Embed(TensorReference table, int token)
    {
        int row = token - (table.Slice?.FirstRow ?? 0);
        bool isHere = row >= 0 && row < table.Rows;
        return [.. Enumerable.Range(0, table.Columns!.Value).Select(column => isHere ? Weight(table, row, column) : 0)];
    }

    private static double[] Rotate(double[] input, int position, RopeNode rope)
    {
        double[] output = [.. input];
        float[] frequencies = rope.Parameters.InverseFrequencies();
        for (int head = 0; head < rope.Heads; head++)
        {
            for (int pair = 0; pair < frequencies.Length; pair++)
            {
                bool halves = rope.Pairing == RopePairing.Halves;
                int at = (head * rope.Parameters.HeadDim) + (halves ? pair : 2 * pair), partner = at + (halves ? frequencies.Length : 1);
                (double sine, double cosine) = Math.SinCos(position / rope.Parameters.CompressionRatio * frequencies[pair]);
                output[at] = (input[at] * cosine) - (input[partner] * sine);
                output[partner] = (input[partner] * cosine) + (input[at] * sine);
            }
        }

        return output;
    }

    private static double[] Multiply(double[] input, LinearWeight weight) =>
    [
        .. weight.Parts.SelectMany(part => Enumerable.Range(0, part.Rows).Select(row => input.Select((element, column) => element * Weight(part, row, column)).Sum())),
    ];

    private static double[] Normalize(double[] input, TensorReference weight, double epsilon)
    {
        double scale = 1 / Math.Sqrt((input.Sum(element => element * element) / input.Length) + epsilon);
        return [.. input.Select((element, column) => element * scale * Weight(weight, column, 0))];
    }

    private static double[] Gate(double[] gate, double[] up) => [.. gate.Zip(up, (g, u) => g / (1 + Math.Exp(-g)) * u)];

    private static double[] Add(double[] left, double[] right) => [.. left.Zip(right, (a, b) => a + b)];

    private static double[] Softmax(double[] scores)
    {
        double[] powers = [.. scores.Select(score => Math.Exp(score - scores.Max()))];
        return [.. powers.Select(power => power / powers.Sum())];
    }

    /// <summary>A number in (−1, 1) that depends on the tensor's name and the place in it.</summary>
    private static double Weight(TensorReference tensor, int row, int column)
    {
        (row, column) = (row + (tensor.Slice?.FirstRow ?? 0), column + (tensor.Slice?.FirstColumn ?? 0));
        ulong hash = 14695981039346656037;
        foreach (char letter in tensor.Name)
        {
            hash = (hash ^ letter) * 1099511628211;
        }

        hash = (hash + ((ulong)row * 0x9E3779B97F4A7C15) + ((ulong)column * 0xC2B2AE3D27D4EB4F)) * 0xBF58476D1CE4E5B9;
        hash ^= hash >> 29;
        return ((hash * 0x94D049BB133111EB) >> 11) * (2.0 / (1UL << 53)) - 1;
    }
}
