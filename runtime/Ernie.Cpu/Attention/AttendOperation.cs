using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Ernie.Cpu.Memory;
using Ernie.Cpu.Operations;

namespace Ernie.Cpu.Attention;

/// <summary>Causal attention with an online softmax over the pages of each sequence.</summary>
/// <remarks>Source of the online softmax: Milakov and Gimelshein, arXiv:1805.02867.</remarks>
internal sealed unsafe class AttendOperation<TElement, TFormat> : Operation
    where TElement : unmanaged
    where TFormat : ICacheElement<TElement>
{
    private const int Rows = AttentionKernels<TElement, TFormat>.Rows;
    private const int TokensPerPage = KeyValuePages<TElement>.TokensPerPage;

    // A masked score: finite, so that differences of two of them are numbers.
    private const float Masked = -1e30f;

    private readonly ValueBuffer _query;
    private readonly ValueBuffer _output;
    private readonly KeyValuePages<TElement> _pages;
    private readonly AttentionPlan _plan;
    private readonly AttentionScratch[] _workers;
    private readonly AttentionScratch[] _partials;
    private readonly float _scale;
    private readonly LinearConsumers _consumers;

    /// <param name="query">[tokens, heads × headDim].</param>
    /// <param name="output">The same.</param>
    /// <param name="pages">The layer's pages.</param>
    /// <param name="plan">Units of the slice.</param>
    /// <param name="workers">Scratch by worker.</param>
    /// <param name="partials">Memory of partial results.</param>
    /// <param name="scale">Multiplies scores.</param>
    /// <param name="consumers">Linear layers that read the output and can prepare the columns of one key/value head.</param>
    internal AttendOperation(
        ValueBuffer query, ValueBuffer output, KeyValuePages<TElement> pages, AttentionPlan plan, AttentionScratch[] workers, AttentionScratch[] partials, float scale, LinearConsumers consumers)
    {
        _query = query;
        _output = output;
        _pages = pages;
        _plan = plan;
        _workers = workers;
        _partials = partials;
        _scale = scale;
        _consumers = consumers;
    }

    protected override int UnitCount(SliceState slice) => _plan.Count;

    protected override void Execute(int worker, int unit, SliceState slice)
    {
        ref readonly AttentionUnit work = ref _plan[unit];
        AttentionScratch scratch = work.Partial < 0 ? _workers[worker] : _partials[work.Partial];
        int rows = work.Tokens * _plan.Group;
        int groups = (rows + Rows - 1) / Rows;
        LoadQueries(work, rows, groups, scratch);
        new Span<float>(scratch.Sums, groups * Rows * _pages.HeadDim).Clear();
        new Span<float>(scratch.Largest, groups * Rows).Fill(Masked);
        new Span<float>(scratch.Totals, groups * Rows).Clear();

        int pageRow = slice.SegmentPageRow[work.Segment];
        for (int page = work.FirstPage; page < work.EndPage; page++)
        {
            int index = slice.PageTable[pageRow + page].Index;
            int next = slice.PageTable[pageRow + Math.Min(page + 1, work.EndPage - 1)].Index;
            for (int group = 0; group < groups; group++)
            {
                AttendPage(work, slice, scratch, group, rows, page * TokensPerPage, index, next);
            }
        }

        if (work.Partial >= 0)
            return;
        WriteOutput(work, rows, scratch);
        int columns = _plan.Group * _pages.HeadDim;
        for (int token = work.FirstToken; token < work.FirstToken + work.Tokens; token++)
            _consumers.Prepare(slice, token, _output.Row(token), work.Head * columns, (work.Head + 1) * columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void LoadQueries(in AttentionUnit work, int rows, int groups, AttentionScratch scratch)
    {
        int headDim = _pages.HeadDim;
        for (int row = 0; row < groups * Rows; row++)
        {
            float* target = scratch.Queries + ((long)(row / Rows) * headDim * Rows) + (row % Rows);
            if (row >= rows)
            {
                for (int i = 0; i < headDim; i++)
                    target[i * Rows] = 0;
                continue;
            }

            float* source = _query.Row(work.FirstToken + (row / _plan.Group)) + (((work.Head * _plan.Group) + (row % _plan.Group)) * headDim);
            for (int i = 0; i < headDim; i++)
                target[i * Rows] = source[i] * _scale;
        }
    }

    private void AttendPage(in AttentionUnit work, SliceState slice, AttentionScratch scratch, int group, int rows, int firstPosition, int page, int nextPage)
    {
        int headDim = _pages.HeadDim;
        int firstRow = group * Rows;

        // Positions rise with the rows, so the last row of the group sees the most.
        int lastRow = Math.Min(firstRow + Rows, rows) - 1;
        int visible = Math.Min(slice.Position[work.FirstToken + (lastRow / _plan.Group)] - firstPosition + 1, TokensPerPage);
        if (visible <= 0)
            return;
        TElement* values = _pages.Values(page, work.Head);
        float* keyFactors = _pages.KeyFactors(page, work.Head), valueFactors = _pages.ValueFactors(page, work.Head);
        if (TFormat.LargestCode > 0)
        {
            Fetch(keyFactors);
            Fetch(valueFactors);
        }

        AttentionKernels<TElement, TFormat>.Scores(
            scratch.Queries + ((long)firstRow * headDim), _pages.Keys(page, work.Head), headDim, visible, scratch.Scores, values);
        for (int row = 0; row < Rows; row++)
        {
            int token = work.FirstToken + (Math.Min(firstRow + row, lastRow) / _plan.Group);
            int limit = slice.Position[token] - firstPosition + 1;
            UpdateSoftmax(
                scratch.Scores + (row * TokensPerPage), limit, keyFactors, valueFactors, scratch.Largest + firstRow + row, scratch.Totals + firstRow + row, scratch.Rescale + row);
        }

        AttentionKernels<TElement, TFormat>.AddValues(
            scratch.Scores, scratch.Rescale, values, visible, headDim, scratch.Sums + ((long)firstRow * headDim), _pages.Keys(nextPage, work.Head));
    }

    // Factors are first needed when the scores are there: they come meanwhile.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(float* factors)
    {
        for (int token = 0; Sse.IsSupported && token < TokensPerPage; token += Vector512<float>.Count)
            Sse.Prefetch0(factors + token);
    }

    // Makes a page's products scores, and scores weights of the stored values: tokens' factors, if there are any, go into either.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void UpdateSoftmax(float* scores, int limit, float* keyFactors, float* valueFactors, float* largest, float* total, float* rescale)
    {
        Vector512<float> first = Vector512.Load(scores), second = Vector512.Load(scores + 16);
        Vector512<float> third = Vector512.Load(scores + 32), fourth = Vector512.Load(scores + 48);
        if (TFormat.LargestCode > 0)
        {
            first *= Vector512.Load(keyFactors);
            second *= Vector512.Load(keyFactors + 16);
            third *= Vector512.Load(keyFactors + 32);
            fourth *= Vector512.Load(keyFactors + 48);
        }

        if (limit < TokensPerPage)
        {
            first = Mask(first, 0, limit);
            second = Mask(second, 16, limit);
            third = Mask(third, 32, limit);
            fourth = Mask(fourth, 48, limit);
        }

        Vector512<float> largestOfPage = Vector512.Max(Vector512.Max(first, second), Vector512.Max(third, fourth));
        float newLargest = *largest;
        Vector256<float> half = Vector256.Max(largestOfPage.GetLower(), largestOfPage.GetUpper());
        Vector128<float> quarter = Vector128.Max(half.GetLower(), half.GetUpper());
        newLargest = Math.Max(newLargest, Math.Max(Math.Max(quarter[0], quarter[1]), Math.Max(quarter[2], quarter[3])));
        Vector512<float> shift = Vector512.Create(newLargest);
        first = VectorMath.Exp(first - shift);
        second = VectorMath.Exp(second - shift);
        third = VectorMath.Exp(third - shift);
        fourth = VectorMath.Exp(fourth - shift);
        float factor = *largest == newLargest ? 1f : MathF.Exp(*largest - newLargest);
        *rescale = factor;
        *total = (*total * factor) + Vector512.Sum(first + second + (third + fourth));
        *largest = newLargest;
        if (TFormat.LargestCode > 0)
        {
            first *= Vector512.Load(valueFactors);
            second *= Vector512.Load(valueFactors + 16);
            third *= Vector512.Load(valueFactors + 32);
            fourth *= Vector512.Load(valueFactors + 48);
        }

        first.Store(scores);
        second.Store(scores + 16);
        third.Store(scores + 32);
        fourth.Store(scores + 48);
    }

    private static Vector512<float> Mask(Vector512<float> scores, int first, int limit) =>
        Vector512.ConditionalSelect(
            Vector512.LessThan(Vector512<int>.Indices + Vector512.Create(first), Vector512.Create(limit)).AsSingle(), scores, Vector512.Create(Masked));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WriteOutput(in AttentionUnit work, int rows, AttentionScratch scratch)
    {
        int headDim = _pages.HeadDim;
        for (int row = 0; row < rows; row++)
        {
            float* target = _output.Row(work.FirstToken + (row / _plan.Group)) + (((work.Head * _plan.Group) + (row % _plan.Group)) * headDim);
            float* source = scratch.Sums + ((long)row * headDim);
            float factor = 1f / scratch.Totals[row];
            for (int i = 0; i < headDim; i += 16)
                (Vector512.Load(source + i) * factor).Store(target + i);
        }
    }
}
