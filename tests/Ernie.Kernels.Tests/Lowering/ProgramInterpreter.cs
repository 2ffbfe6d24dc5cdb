using Ernie.Graph;
using Ernie.Graph.Tests;

namespace Ernie.Kernels.Tests;

/// <summary>
/// Runs a program launch by launch over named buffers in double precision, each launch by what its kernel and operands say. Buffers of one
/// slot share their memory here as on a device: what one writes, the others lose, and to read what was lost or never written is an error.
/// </summary>
internal sealed class ProgramInterpreter(KernelPlan plan)
{
    private readonly Dictionary<int, (string Owner, double[]?[] Rows)> _memory = [];
    private readonly Dictionary<(int Layer, int Slot, int Position), (double[] Key, double[] Value)> _cache = [];
    private readonly Dictionary<LinearWeight, double[][]> _weights = new(ReferenceEqualityComparer.Instance);
    private IReadOnlyList<ProgramToken> _tokens = [];
    private int[] _logitTokens = [];
    private int _decodeRows;

    private ModelShape Shape => plan.Shape;

    /// <summary>Runs a step of some range; tokens of decoding rows come first.</summary>
    public (double[][] Logits, double[][] Hidden) Run(ProgramRange body, ProgramRange head, IReadOnlyList<ProgramToken> tokens, int decodeRows, int[] logitTokens)
    {
        _memory.Clear();
        (_tokens, _decodeRows, _logitTokens) = (tokens, decodeRows, logitTokens);
        StepCounts counts = new(tokens.Count, decodeRows, tokens.Count > decodeRows ? 1 : 0, WantsHidden: true);
        foreach (Launch launch in body.Launches.Where(launch => launch.Condition.Holds(counts)).Concat(head.Launches))
            Run(launch);
        return (Rows(KernelBuffers.Logits, logitTokens.Length), Rows(KernelBuffers.Hidden, tokens.Count));
    }

    private void Run(Launch launch)
    {
        switch (launch.Kernel.Function)
        {
            case "embed":
                ForEachToken(token => Embed(launch, token));
                break;
            case "normalize":
                bool isGathered = launch.Operand("Rows") is not null;
                for (int row = 0; row < (isGathered ? _logitTokens.Length : _tokens.Count); row++)
                    Write(launch, FirstOf(launch, "Output", "OutputFloat", "Quantized.Codes"), row, Norm(Read(launch, "Input", isGathered ? _logitTokens[row] : row), Gain(launch)));
                break;
            case "quantize_rows":
                ForEachToken(token => Write(launch, "Output.Codes", token, Read(launch, "Input", token)));
                break;
            case "store_cache":
                ForEachToken(token => Store(launch, token, Read(launch, "Keys", token), Read(launch, "Values", token), "KeyPages"));
                break;
            case "attention_decode":
                for (int token = 0; token < _decodeRows; token++)
                    Attend(launch, "", token);
                break;
            case "attention_prefill" or "attention_wgmma":
                for (int token = _decodeRows; token < _tokens.Count; token++)
                    Attend(launch, launch.Kernel.Function == "attention_wgmma" ? "Attention." : "", token);
                break;
            default:
                Multiply(launch);
                break;
        }
    }

    private void Embed(Launch launch, int token)
    {
        TensorReference table = Assert.IsType<TensorOperand>(launch.Operand("Embedding")).Tensor;
        double[] row = [.. Enumerable.Range(0, Shape.HiddenSize).Select(column => ReferenceInterpreter.Weight(table, _tokens[token].Id, column))];
        Write(launch, "Places", token, [_tokens[token].Position]);
        Write(launch, "Residual", token, row);
        if (launch.Operand("Gain") is not null)
            Prepare(launch, token, row, launch.Operand("Prepared") is null ? "Quantized.Codes" : "Prepared", "Squares");
    }

    // What the next norm's product reads: the rows times its gain, and their squares, by which it divides its sums.
    private void Prepare(Launch launch, int token, double[] row, string field, string squares)
    {
        double[] gain = Gain(launch);
        Write(launch, field, token, [.. row.Select((value, column) => value * gain[column])]);
        Write(launch, squares, token, [row.Sum(value => value * value)]);
    }

    private void Multiply(Launch launch)
    {
        string function = launch.Kernel.Function;
        Assert.Contains(function, (string[])["linear_decode", "linear_tile", "linear_wgmma", "linear_tile_float8", "linear_float8"]);
        double[][] weight = Weight(launch.Operands.OfType<WeightOperand>().First().Weight);
        bool isHead = launch.Operand("TokenCount") is StepOperand, normalizes = Constant(launch, "kNormalizes") == "true";
        string input = function == "linear_tile_float8" ? "Input.Codes" : "Input";
        for (int row = 0; row < (isHead ? _logitTokens.Length : _tokens.Count); row++)
        {
            double[] values = Read(launch, input, launch.Operand("InputRows") is null ? row : _logitTokens[row]);
            Assert.Equal(int.Parse(Constant(launch, "kInputs")!, System.Globalization.CultureInfo.InvariantCulture), values.Length);
            if (function == "linear_decode" && Constant(launch, "kNorm") == "true")
                values = Norm(values, Gain(launch));
            double factor = normalizes ? 1 / Math.Sqrt((Read(launch, "Squares", row)[0] / values.Length) + Shape.RmsNormEpsilon) : 1;
            double[] sums = [.. weight.Select(outputs => factor * Dot(outputs, values))];
            Finish(launch, row, sums);
        }
    }

    private void Finish(Launch launch, int row, double[] sums)
    {
        switch (Constant(launch, "kEpilogue"))
        {
            case "ernie::Epilogue::kQkv":
                int queries = Shape.QueryWidth, keys = Shape.KeyValueWidth, position = (int)Read(launch, "Epilogue.Places", row)[0];
                Write(launch, "Epilogue.Query", row, Rotate(sums[..queries], position));
                double[] key = Rotate(sums[queries..(queries + keys)], position), value = sums[(queries + keys)..];
                if (launch.Operand("Epilogue.Keys") is CacheOperand)
                {
                    Store(launch, row, key, value, "Epilogue.Keys");
                }
                else
                {
                    Write(launch, "Epilogue.Keys", row, key);
                    Write(launch, "Epilogue.Values", row, value);
                }

                break;
            case "ernie::Epilogue::kResidual":
                double[] sum = [.. Read(launch, "Epilogue.Output", row).Zip(sums, (a, b) => a + b)];
                Write(launch, "Epilogue.Output", row, sum);
                if (launch.Kernel.Function is "linear_wgmma" or "linear_float8" && launch.Operand("Gain") is not null)
                    Prepare(launch, row, sum, launch.Kernel.Function == "linear_wgmma" ? "Prepared" : "Quantized.Codes", "NewSquares");
                break;
            case "ernie::Epilogue::kSwiglu":
                int half = sums.Length / 2;
                Write(
                    launch, launch.Kernel.Function == "linear_float8" ? "Quantized.Codes" : "Epilogue.Activation", row,
                    [.. Enumerable.Range(0, half).Select(index => sums[index] / (1 + Math.Exp(-sums[index])) * sums[half + index])]);
                break;
            case "ernie::Epilogue::kLogits":
                Write(launch, "Epilogue.Output", row, sums);
                break;
            default:
                Assert.Fail($"{launch.Kernel.Name} has an epilogue that is not known here.");
                break;
        }
    }

    private void Attend(Launch launch, string prefix, int token)
    {
        if (launch.Operand(prefix + "NewKeys") is not null)
            Store(launch, token, Read(launch, prefix + "NewKeys", token), Read(launch, prefix + "NewValues", token), prefix + "Keys");
        (int slot, int position, _) = _tokens[token];
        double[] query = Read(launch, prefix + "Query", token), output = new double[Shape.QueryWidth];
        int layer = Assert.IsType<CacheOperand>(launch.Operand(prefix + "Keys")).Layer, size = Shape.HeadDim;
        for (int head = 0; head < Shape.QueryHeads; head++)
        {
            int shared = head / Shape.QueryHeadsPerKeyValueHead * size;
            double[] scores = [.. Enumerable.Range(0, position + 1).Select(past =>
                Math.Exp(Dot(query.AsSpan(head * size, size), _cache[(layer, slot, past)].Key.AsSpan(shared, size)) / Math.Sqrt(size)))];
            for (int column = 0; column < size; column++)
                output[(head * size) + column] = scores.Select((score, past) => score * _cache[(layer, slot, past)].Value[shared + column]).Sum() / scores.Sum();
        }

        Write(launch, launch.Operand("Quantized.Codes") is null ? prefix + "Output" : "Quantized.Codes", token, output);
    }

    private void Store(Launch launch, int token, double[] key, double[] value, string field) =>
        _cache[(Assert.IsType<CacheOperand>(launch.Operand(field)).Layer, _tokens[token].Slot, _tokens[token].Position)] = (key, value);

    private double[] Rotate(double[] heads, int position)
    {
        float[] frequencies = plan.Lowered.Operations.Select(operation => operation.Epilogue).OfType<CacheEpilogue>().First().Rotation.InverseFrequencies();
        double[] rotated = new double[heads.Length];
        for (int pair = 0; pair < heads.Length / 2; pair++)
        {
            (double sine, double cosine) = Math.SinCos(position / Shape.CompressionRatio * frequencies[pair % frequencies.Length]);
            rotated[2 * pair] = (heads[2 * pair] * cosine) - (heads[(2 * pair) + 1] * sine);
            rotated[(2 * pair) + 1] = (heads[(2 * pair) + 1] * cosine) + (heads[2 * pair] * sine);
        }

        return rotated;
    }

    private double[] Norm(double[] row, double[] gain)
    {
        double factor = 1 / Math.Sqrt((row.Sum(value => value * value) / row.Length) + Shape.RmsNormEpsilon);
        return [.. row.Select((value, column) => value * factor * gain[column])];
    }

    private static double[] Gain(Launch launch)
    {
        TensorReference tensor = Assert.IsType<TensorOperand>(launch.Operand("Gain")).Tensor;
        return [.. Enumerable.Range(0, tensor.Rows).Select(row => ReferenceInterpreter.Weight(tensor, row, 0))];
    }

    private double[][] Weight(LinearWeight weight)
    {
        if (!_weights.TryGetValue(weight, out double[][]? rows))
        {
            rows = [.. weight.Parts.SelectMany(part => Enumerable.Range(0, part.Rows).Select(row =>
                Enumerable.Range(0, weight.InFeatures).Select(column => ReferenceInterpreter.Weight(part, row, column)).ToArray()))];
            _weights.Add(weight, rows);
        }

        return rows;
    }

    private double[] Read(Launch launch, string field, int row)
    {
        BufferOperand operand = Buffer(launch, field);
        Assert.True(operand.Reads, $"{launch.Kernel.Name} of '{launch.Operation}' reads {field}, which it is not said to.");
        return Row(operand.Buffer, row, $"{launch.Kernel.Name} of '{launch.Operation}'");
    }

    private void Write(Launch launch, string field, int row, double[] values)
    {
        BufferOperand operand = Buffer(launch, field);
        Assert.True(operand.Writes, $"{launch.Kernel.Name} of '{launch.Operation}' writes {field}, which it is not said to.");
        int slot = Slot(operand.Buffer);
        if (!_memory.TryGetValue(slot, out (string Owner, double[]?[] Rows) memory) || memory.Owner != operand.Buffer)
            _memory[slot] = memory = (operand.Buffer, new double[]?[Math.Max(_tokens.Count, _logitTokens.Length)]);
        memory.Rows[row] = values;
    }

    private double[][] Rows(string buffer, int count) => [.. Enumerable.Range(0, count).Select(row => Row(buffer, row, "the end of the step"))];

    private double[] Row(string buffer, int row, string reader)
    {
        Assert.True(_memory.TryGetValue(Slot(buffer), out (string Owner, double[]?[] Rows) memory), $"{reader} reads {buffer}, which nothing has written.");
        Assert.True(memory.Owner == buffer, $"{reader} reads {buffer}, whose memory has {memory.Owner} by now.");
        Assert.True(memory.Rows[row] is not null, $"{reader} reads row {row} of {buffer}, which nothing has written.");
        return memory.Rows[row]!; // The line above says so.
    }

    private int Slot(string buffer) => plan.Program.Buffers.Single(planned => planned.Name == buffer).Slot;

    private static BufferOperand Buffer(Launch launch, string field) => Assert.IsType<BufferOperand>(launch.Operand(field), exactMatch: false);

    private static string FirstOf(Launch launch, params string[] fields) =>
        fields.First(field => launch.Operand(field) is BufferOperand { Writes: true });

    private static string? Constant(Launch launch, string name) => launch.Kernel.Constants.FirstOrDefault(constant => constant.Name == name)?.Value;

    private static double Dot(ReadOnlySpan<double> left, ReadOnlySpan<double> right)
    {
        double sum = 0;
        for (int index = 0; index < left.Length; index++)
            sum += left[index] * right[index];
        return sum;
    }

    private void ForEachToken(Action<int> run)
    {
        for (int token = 0; token < _tokens.Count; token++)
            run(token);
    }
}
