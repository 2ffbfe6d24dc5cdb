using Ernie.Caching;
using Ernie.Cpu.Attention;
using Ernie.Cpu.Memory;
using Ernie.Cpu.Operations;
using Ernie.Kernels;
using Ernie.Testing;
using Ernie.Weights;

namespace Ernie.Cpu.Tests;

/// <summary>Attention over every kind of cache against softmax in double over what the cache holds.</summary>
public sealed unsafe class AttentionTests
{
    private const int Heads = 2, Group = 3, HeadDim = 64, TokensPerPage = 64;
    private const int QueryWidth = Heads * Group * HeadDim, KeyWidth = Heads * HeadDim;

    // Tokens there already and new ones, around the edges of pages and of the groups of eight rows.
    public static TheoryData<CachePrecision, int, int> Cases =>
    [
        .. from cache in Enum.GetValues<CachePrecision>()
           from lengths in ((int, int)[])[(0, 1), (62, 1), (63, 1), (64, 1), (300, 1), (0, 64), (0, 65), (60, 7), (130, 30)]
           select (cache, lengths.Item1, lengths.Item2),
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Attend_AnyCache_IsSoftmaxOverWhatItHolds(CachePrecision cache, int start, int count)
    {
        foreach (int workers in (int[])[1, 8])
        {
            switch (cache)
            {
                case CachePrecision.BFloat16:
                    Run<ushort, BFloat16Element>(start, count, workers, values => BFloat16(values));
                    break;
                case CachePrecision.Full:
                    Run<float, FloatElement>(start, count, workers, values => values);
                    break;
                case CachePrecision.Float8:
                    Run<byte, Float8Element>(start, count, workers, values => RoundTrip(KeyValueFormat.Float8, values));
                    break;
                case CachePrecision.Integer8:
                    Run<sbyte, Integer8Element>(start, count, workers, values => RoundTrip(KeyValueFormat.Integer8, values));
                    break;
            }
        }
    }

    private static void Run<TElement, TFormat>(int start, int count, int workers, Func<float[], float[]> held)
        where TElement : unmanaged
        where TFormat : ICacheElement<TElement>
    {
        int total = start + count, pageCount = (total + TokensPerPage - 1) / TokensPerPage;
        var random = new Random((start * 100) + count);
        float[] keys = Vectors(random, total * Heads), values = Vectors(random, total * Heads), queries = Vectors(random, count * Heads * Group);
        using var pages = new KeyValuePages<TElement>(pageCount + 1, Heads, HeadDim, TFormat.LargestCode > 0);
        // The last page comes first, and one belongs to somebody else.
        PageId[] table = [.. Enumerable.Range(0, pageCount).Select(page => new PageId(pageCount - page))];
        var plan = new AttentionPlan(Heads, Group, workers, total);
        AttentionScratch[] scratch = [.. Enumerable.Range(0, workers).Select(_ => new AttentionScratch(AttentionPlan.RowsPerUnit, HeadDim))];
        AttentionScratch[] partials = [.. Enumerable.Range(0, plan.MaxPartials).Select(_ => new AttentionScratch(Group, HeadDim))];
        using RowStorage keyRows = Rows(keys, KeyWidth), valueRows = Rows(values, KeyWidth), queryRows = Rows(queries, QueryWidth), outputRows = new(count, QueryWidth);
        ValueBuffer output = new(outputRows, 0, QueryWidth);
        Execute(new StoreOperation<TElement, TFormat>(new(keyRows, 0, KeyWidth), new(valueRows, 0, KeyWidth), Heads, pages) { Reads = [], Writes = [] }, Slice(0, total, table));
        SliceState slice = Slice(start, count, table);
        plan.Build(slice);

        Execute(
            new AttendOperation<TElement, TFormat>(new(queryRows, 0, QueryWidth), output, pages, plan, scratch, partials, 1 / MathF.Sqrt(HeadDim), new LinearConsumers([]))
            {
                Reads = [],
                Writes = [],
            },
            slice);
        Execute(new MergeOperation(output, HeadDim, plan, partials, new LinearConsumers([])) { Reads = [], Writes = [] }, slice);

        double[] actual = new double[count * QueryWidth];
        for (int i = 0; i < actual.Length; i++)
            actual[i] = outputRows.Pointer[i];
        // Scores are sums of 64 products and up to about 6 large: 6 · 2^-24 · √64 and 2e-7 of the exponential are the error of a weight.
        Numeric.AssertClose(Expected(start, count, queries, held(keys), held(values)), actual, Tolerance.Relative(4e-6, $"f32 softmax of {total} tokens, {workers} workers"));
        foreach (AttentionScratch memory in scratch.Concat(partials))
            memory.Dispose();

        void Execute(Operation operation, SliceState tokens)
        {
            operation.Prepare(workers);
            for (int worker = 0; worker < workers; worker++)
                operation.Run(worker, tokens, 0);
        }
    }

    private static SliceState Slice(int start, int count, PageId[] table)
    {
        var slice = new SliceState(count) { Segments = 1, PageTable = table };
        slice.SetCount(count);
        slice.SegmentCount[0] = count;
        for (int token = 0; token < count; token++)
            slice.Position[token] = start + token;
        return slice;
    }

    private static double[] Expected(int start, int count, float[] queries, float[] keys, float[] values)
    {
        double[] output = new double[count * QueryWidth];
        for (int row = 0; row < count * Heads * Group; row++)
        {
            int last = start + (row / (Heads * Group)), head = row % (Heads * Group) / Group;
            double[] weights = [.. Enumerable.Range(0, last + 1).Select(token =>
                Math.Exp(Enumerable.Range(0, HeadDim).Sum(i => (double)queries[(row * HeadDim) + i] * keys[(((token * Heads) + head) * HeadDim) + i]) / Math.Sqrt(HeadDim)))];
            double sum = weights.Sum();
            for (int token = 0; token <= last; token++)
            {
                for (int i = 0; i < HeadDim; i++)
                    output[(row * HeadDim) + i] += weights[token] / sum * values[(((token * Heads) + head) * HeadDim) + i];
            }
        }

        return output;
    }

    private static RowStorage Rows(float[] values, int width)
    {
        var rows = new RowStorage(values.Length / width, width);
        values.CopyTo(new Span<float>(rows.Pointer, values.Length));
        return rows;
    }

    // Vectors differ in size, as they do in models: a factor taken from a neighbour shows.
    private static float[] Vectors(Random random, int count)
    {
        float[] values = new float[count * HeadDim];
        for (int vector = 0; vector < count; vector++)
        {
            float size = 0.5f + random.NextSingle();
            for (int i = 0; i < HeadDim; i++)
                values[(vector * HeadDim) + i] = size * ((random.NextSingle() * 4) - 2);
        }

        return values;
    }

    private static float[] BFloat16(float[] values) => [.. values.Select(value => BFloat16Codec.Decode(BFloat16Codec.Encode(value)))];

    private static float[] RoundTrip(KeyValueFormat format, float[] values)
    {
        float[] held = BFloat16(values);
        byte[] codes = new byte[HeadDim];
        for (int i = 0; i < held.Length; i += HeadDim)
        {
            Span<float> vector = held.AsSpan(i, HeadDim);
            float factor = KeyValueCodec.Quantize(format, vector, codes);
            KeyValueCodec.Dequantize(format, codes, factor, vector);
        }

        return held;
    }
}
