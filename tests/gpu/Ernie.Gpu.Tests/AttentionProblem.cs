using Ernie.Cuda.Compilation;
using Ernie.Cuda.Execution;
using Ernie.Cuda.Memory;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Testing;
using Ernie.Testing.Gpu;

namespace Ernie.Gpu.Tests;

/// <summary>A batch over random keys and values in scattered pages, on the device; what no row may read is poisoned.</summary>
internal sealed class AttentionProblem : IDisposable
{
    private const int PageKeys = KernelPlan.TokensPerPage, HeadSize = 128;
    private const ushort Bf16NaN = 0x7FC0;
    private const byte Poison = 0xC2;

    private readonly ModelShape _shape;
    private readonly KeyValueFormat _format;
    private readonly DeviceArena _arena = new();
    private readonly CudaStream _stream = new();
    private readonly Dictionary<KernelSpec, CudaKernel> _loaded = [];
    private readonly (int Start, int Count)[] _rows;
    private readonly int _tokens, _pagesPerSlot, _pages;
    private readonly int[] _pageTable;
    private readonly float[] _queries;

    // [page, kv head, token, 128] as the kernels see them, after rounding to the format.
    private readonly float[] _keys, _values;
    private readonly ulong _header, _tiles, _output;
    private readonly int _tileCount;
    private readonly AttentionArguments _arguments;
    private readonly TensorMap _keyMap, _valueMap;

    public AttentionProblem(ModelShape shape, KeyValueFormat format, (int Start, int Count)[] rows, int tileTokens, long partialBytes, int seed, bool hasUpdates = false, bool repeats = false, bool putsAway = false)
    {
        _shape = shape;
        _format = format;
        _rows = rows;
        _tokens = rows.Sum(row => row.Count);
        int[] pageCounts = [.. rows.Select(row => (row.Start + row.Count + PageKeys - 1) / PageKeys)];
        _pagesPerSlot = pageCounts.Max() + 1;
        _pages = pageCounts.Sum() + 3;
        Random random = new(seed);
        int[] shuffled = [.. Enumerable.Range(0, _pages)];
        random.Shuffle(shuffled);
        _pageTable = new int[rows.Length * _pagesPerSlot];
        int used = 0;
        // Slots run against the rows' order, so that neither stands for the other.
        for (int row = 0; row < rows.Length; row++)
        {
            for (int page = 0; page < pageCounts[row]; page++)
                _pageTable[((rows.Length - 1 - row) * _pagesPerSlot) + page] = shuffled[used++];
        }

        _queries = [.. Enumerable.Range(0, _tokens * shape.QueryWidth).Select(_ => Round(Normal(random)))];
        (_keys, ulong keys, ulong keyScales, ulong newKeys) = Pages(random, repeats, putsAway);
        (_values, ulong values, ulong valueScales, ulong newValues) = Pages(random, repeats, putsAway);

        int rowCapacity = rows.Length + 2;
        int[] step = new int[StepLayout.HeaderInts + (6 * rowCapacity)];
        step[0] = rows.Length;
        step[1] = _tokens;
        step[3] = hasUpdates ? 1 : 0;
        List<int> tiles = [];
        for (int row = 0, token = 0; row < rows.Length; token += rows[row++].Count)
        {
            step[StepLayout.HeaderInts + row] = rows.Length - 1 - row;
            step[StepLayout.HeaderInts + rowCapacity + row] = rows[row].Start;
            step[StepLayout.HeaderInts + (2 * rowCapacity) + row] = rows[row].Count;
            step[StepLayout.HeaderInts + (3 * rowCapacity) + row] = token;
            for (int first = (rows[row].Count - 1) / tileTokens * tileTokens; first >= 0; first -= tileTokens)
                tiles.AddRange([row, first]);
        }

        _tileCount = tiles.Count / 2;
        _header = Upload<int>(step);
        _tiles = Upload<int>([.. tiles]);
        _output = _arena.Take(OutputBytes);
        PoisonOutput();
        _arguments = new AttentionArguments
        {
            Query = Upload<ushort>([.. _queries.Select(ToBits)]),
            Keys = keys,
            Values = values,
            KeyScales = keyScales,
            ValueScales = valueScales,
            NewKeys = newKeys,
            NewValues = newValues,
            PageTable = Upload<int>(_pageTable),
            Output = _output,
            Header = _header,
            Tiles = _tiles,
            Partials = _arena.Take(partialBytes),
            Arrivals = _arena.TakeCleared(sizeof(int) * rowCapacity * shape.QueryHeads, _stream.Handle),
            PagesPerSlot = _pagesPerSlot,
            RowCapacity = rowCapacity,
            DecodeRows = rows.TakeWhile(row => row.Count == 1).Count(),
        };
        if (format == KeyValueFormat.BFloat16)
        {
            _keyMap = TensorMap.Of(keys, (long)_pages * shape.KeyValueHeads * PageKeys, HeadSize, PageKeys);
            _valueMap = TensorMap.Of(values, (long)_pages * shape.KeyValueHeads * PageKeys, HeadSize, PageKeys);
        }
    }

    // One token more than there are: it must stay as it is.
    private long OutputBytes => (_tokens + 1L) * _shape.QueryWidth * sizeof(ushort);

    public CudaStream Stream => _stream;

    /// <summary>Queues decode attention.</summary>
    public void Decode(AttentionLaunch launch, bool overlaps = false) =>
        Load(launch.Kernel).Launch(_stream.Handle, launch.GridX, launch.GridY, launch.GridZ, _arguments, overlaps);

    /// <summary>Queues attention of all rows in tiles.</summary>
    public void Prefill(AttentionTile tile, bool overlaps = false)
    {
        if (tile.TakesTensorMaps)
            Load(tile.Kernel).Launch(_stream.Handle, _tileCount, _shape.KeyValueHeads, 1, new AttentionTensorArguments { Keys = _keyMap, Values = _valueMap, Attention = _arguments }, overlaps);
        else
            Load(tile.Kernel).Launch(_stream.Handle, _tileCount, _shape.KeyValueHeads, 1, _arguments, overlaps);
    }

    /// <summary>Runs a kernel that leaves quantised rows; it must leave the bf16 outputs alone.</summary>
    public QuantizedInput PrefillQuantized(AttentionTile tile)
    {
        PoisonOutput();
        QuantizedRows rows = QuantizedInput.Empty(_arena, _stream, _shape.QueryWidth, _tokens);
        Load(tile.Kernel).Launch(
            _stream.Handle, _tileCount, _shape.KeyValueHeads, 1,
            new AttentionTensorArguments { Keys = _keyMap, Values = _valueMap, Attention = _arguments, Quantized = rows }, overlapsPrevious: false);
        Assert.All(Output(), value => Assert.Equal((Poison << 8) | Poison, value));
        return QuantizedInput.Download(_stream, rows, _shape.QueryWidth, _tokens);
    }

    /// <summary>Overwrites the outputs.</summary>
    public void PoisonOutput() => Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuMemsetD8Async(_output, Poison, (nuint)OutputBytes, _stream.Handle));

    /// <summary>The outputs [tokens, heads * 128] as bits; fails when anything behind them was written.</summary>
    public ushort[] Output()
    {
        ushort[] bits = new ushort[OutputBytes / sizeof(ushort)];
        _stream.Download<ushort>(bits, _output);
        Assert.All(bits[(_tokens * _shape.QueryWidth)..], value => Assert.Equal((Poison << 8) | Poison, value));
        return bits[..(_tokens * _shape.QueryWidth)];
    }

    /// <summary>Fails unless the cache holds every row's last token, as the codec quantises it.</summary>
    public void AssertPutAway()
    {
        foreach ((ulong elements, ulong scales, float[] expected) in ((ulong, ulong, float[])[])[(_arguments.Keys, _arguments.KeyScales, _keys), (_arguments.Values, _arguments.ValueScales, _values)])
        {
            byte[] codes = new byte[expected.Length];
            float[] factors = new float[expected.Length / HeadSize], actual = new float[HeadSize];
            _stream.Download<byte>(codes, elements);
            _stream.Download<float>(factors, scales);
            for (int row = 0; row < _rows.Length; row++)
            {
                for (int head = 0; head < _shape.QueryHeads; head++)
                {
                    int place = Place(row, head, _rows[row].Start);
                    KeyValueCodec.Dequantize(_format, codes.AsSpan(place, HeadSize), factors[place / HeadSize], actual);
                    Assert.Equal(expected.AsSpan(place, HeadSize).ToArray(), actual);
                }
            }
        }
    }

    /// <summary>Softmax in double over what the cache holds.</summary>
    public double[] Expected()
    {
        double[] output = new double[_tokens * _shape.QueryWidth];
        (int Row, int Token, int Offset)[] tokens = [.. _rows.SelectMany((row, index) =>
            Enumerable.Range(0, row.Count).Select(i => (index, i, _rows.Take(index).Sum(other => other.Count) + i)))];
        Parallel.ForEach(tokens, entry =>
        {
            int keyCount = _rows[entry.Row].Start + entry.Token + 1;
            double[] weights = new double[keyCount];
            for (int head = 0; head < _shape.QueryHeads; head++)
            {
                int query = (entry.Offset * _shape.QueryWidth) + (head * HeadSize);
                double sum = 0;
                for (int key = 0; key < keyCount; key++)
                {
                    int source = Place(entry.Row, head, key);
                    double score = 0;
                    for (int i = 0; i < HeadSize; i++)
                        score += (double)_queries[query + i] * _keys[source + i];
                    sum += weights[key] = Math.Exp(score / Math.Sqrt(HeadSize));
                }

                for (int key = 0; key < keyCount; key++)
                {
                    int source = Place(entry.Row, head, key);
                    for (int i = 0; i < HeadSize; i++)
                        output[query + i] += weights[key] / sum * _values[source + i];
                }
            }
        });
        return output;
    }

    public static double[] ToDoubles(ushort[] bits) => [.. bits.Select(value => (double)BitConverter.UInt32BitsToSingle((uint)value << 16))];

    public void Dispose()
    {
        foreach (CudaKernel kernel in _loaded.Values)
            kernel.Dispose();
        _stream.Dispose();
        _arena.Dispose();
    }

    private int Place(int row, int head, int key) =>
        ((((_pageTable[((_rows.Length - 1 - row) * _pagesPerSlot) + (key / PageKeys)] * _shape.KeyValueHeads) + (head / _shape.QueryHeadsPerKeyValueHead)) * PageKeys) + (key % PageKeys)) * HeadSize;

    // Random values where a row may read, NaN elsewhere. Measurements repeat a few: making up a gigabyte takes longer than reading it.
    // With putsAway an 8-bit cache lacks each row's last token, which comes as bf16 apart.
    private (float[] Values, ulong Elements, ulong Scales, ulong New) Pages(Random random, bool repeats, bool putsAway)
    {
        const int Distinct = 4096;
        int vectors = _pages * _shape.KeyValueHeads * PageKeys;
        float[] values = new float[vectors * HeadSize];
        bool[] readable = new bool[_pages * PageKeys];
        for (int row = 0; row < _rows.Length; row++)
        {
            for (int key = 0; key < _rows[row].Start + _rows[row].Count; key++)
                readable[(_pageTable[((_rows.Length - 1 - row) * _pagesPerSlot) + (key / PageKeys)] * PageKeys) + (key % PageKeys)] = true;
        }

        Dictionary<int, int> newVectors = [];
        for (int row = 0, token = 0; row < _rows.Length && putsAway; token += _rows[row++].Count)
        {
            for (int head = 0; head < _shape.KeyValueHeads; head++)
                newVectors[Place(row, head * _shape.QueryHeadsPerKeyValueHead, _rows[row].Start) / HeadSize] = (token * _shape.KeyValueHeads) + head;
        }

        ushort[] newWords = new ushort[_tokens * _shape.KeyValueWidth];
        ushort[] words = new ushort[_format == KeyValueFormat.BFloat16 ? values.Length : 0];
        byte[] codes = new byte[_format == KeyValueFormat.BFloat16 ? 0 : values.Length];
        float[] scales = new float[_format == KeyValueFormat.BFloat16 ? 0 : vectors];
        for (int vector = 0; vector < vectors; vector++)
        {
            if (repeats && vector >= Distinct)
            {
                int source = vector % Distinct * HeadSize;
                if (_format == KeyValueFormat.BFloat16)
                {
                    words.AsSpan(source, HeadSize).CopyTo(words.AsSpan(vector * HeadSize));
                }
                else
                {
                    codes.AsSpan(source, HeadSize).CopyTo(codes.AsSpan(vector * HeadSize));
                    scales[vector] = scales[vector % Distinct];
                }

                continue;
            }

            Span<float> target = values.AsSpan(vector * HeadSize, HeadSize);
            bool isReadable = repeats || readable[(vector / PageKeys / _shape.KeyValueHeads * PageKeys) + (vector % PageKeys)];
            // Tokens differ in size, as they do in models: a factor taken from a neighbour shows.
            float size = isReadable ? 0.5f + random.NextSingle() : 0;
            for (int i = 0; i < HeadSize; i++)
                target[i] = Round(size * Normal(random));
            if (_format == KeyValueFormat.BFloat16)
            {
                for (int i = 0; i < HeadSize; i++)
                    words[(vector * HeadSize) + i] = isReadable ? ToBits(target[i]) : Bf16NaN;
            }
            else
            {
                bool isNew = newVectors.TryGetValue(vector, out int newVector);
                for (int i = 0; isNew && i < HeadSize; i++)
                    newWords[(newVector * HeadSize) + i] = ToBits(target[i]);
                scales[vector] = isReadable ? KeyValueCodec.Quantize(_format, target, codes.AsSpan(vector * HeadSize, HeadSize)) : float.NaN;
                KeyValueCodec.Dequantize(_format, codes.AsSpan(vector * HeadSize, HeadSize), scales[vector], target);
                if (isReadable && !isNew)
                    continue;

                codes.AsSpan(vector * HeadSize, HeadSize).Fill(0x7F);
                scales[vector] = float.NaN;
            }
        }

        return _format == KeyValueFormat.BFloat16
            ? (values, Upload<ushort>(words), 0, 0)
            : (values, Upload<byte>(codes), Upload<float>(scales), putsAway ? Upload<ushort>(newWords) : 0);
    }

    private CudaKernel Load(KernelSpec specification)
    {
        if (!_loaded.TryGetValue(specification, out CudaKernel? kernel))
        {
            KernelCompiler compiler = new(CubinCache.Default(), NvrtcForTests.Require());
            GpuArchitecture architecture = Gpu.Require().Profile.Architecture;
            kernel = CudaKernel.Load(specification, compiler.Compile([specification], architecture)[specification].Cubin.Span);
            _loaded.Add(specification, kernel);
        }

        return kernel;
    }

    private ulong Upload<T>(T[] values)
        where T : unmanaged
    {
        ulong address = _arena.Take(Math.Max(1, values.Length) * System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
        if (values.Length > 0)
            _stream.Upload<T>(address, values);
        return address;
    }

    private static float Normal(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    private static ushort ToBits(float value) => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);

    private static float Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000);
    }
}
