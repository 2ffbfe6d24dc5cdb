using System.Numerics;

namespace Ernie.Samplers.Standard;

/// <summary>The tokens above a threshold, in id order, and the exact cuts among them. Reused; grows to the vocabulary at most.</summary>
internal sealed class Candidates
{
    private float[] _weights = new float[256];
    private float[] _selection = new float[256];
    private int[] _ids = new int[256];
    private int _count;

    /// <summary>Collects the tokens whose weight is at least a threshold.</summary>
    public void Gather(ReadOnlySpan<float> weights, float threshold)
    {
        _count = 0;
        int width = Vector<float>.Count;
        var bound = new Vector<float>(threshold);
        int start = 0;
        for (; start <= weights.Length - width; start += width)
        {
            if (Vector.GreaterThanOrEqualAny(new Vector<float>(weights.Slice(start, width)), bound))
            {
                Add(weights, start, start + width, threshold);
            }
        }

        Add(weights, start, weights.Length, threshold);
    }

    /// <summary>Sum of the weights.</summary>
    public double Mass()
    {
        double mass = 0;
        foreach (float weight in _weights.AsSpan(0, _count))
        {
            mass += weight;
        }

        return mass;
    }

    /// <summary>Keeps the largest weights.</summary>
    /// <param name="count">How many.</param>
    public void KeepTop(int count)
    {
        if (_count > count)
        {
            (float bound, double above) = Select(count, weighted: false);
            Keep(bound, count - (int)above);
        }
    }

    /// <summary>Keeps the smallest set of largest weights whose sum reaches a mass.</summary>
    /// <param name="mass">The mass, at most <see cref="Mass"/>.</param>
    public void KeepMass(double mass)
    {
        if (_count > 1)
        {
            (float bound, double above) = Select(mass, weighted: true);
            Keep(bound, (int)Math.Max(1, Math.Ceiling((mass - above) / bound)));
        }
    }

    /// <summary>The token at which the running sum in id order reaches a target.</summary>
    public int FindCumulative(double target)
    {
        double sum = 0;
        for (int i = 0; i < _count; i++)
        {
            sum += _weights[i];
            if (sum >= target)
            {
                return _ids[i];
            }
        }

        return _ids[Math.Max(_count - 1, 0)];
    }

    private void Add(ReadOnlySpan<float> weights, int start, int end, float threshold)
    {
        if (_count + (end - start) > _weights.Length)
        {
            int capacity = Math.Max(_weights.Length * 2, _count + (end - start));
            Array.Resize(ref _weights, capacity);
            Array.Resize(ref _ids, capacity);
            _selection = new float[capacity];
        }

        for (int i = start; i < end; i++)
        {
            if (weights[i] >= threshold)
            {
                _weights[_count] = weights[i];
                _ids[_count++] = i;
            }
        }
    }

    // Drops what is below the bound, and of those equal to it all but the first few.
    private void Keep(float bound, int equals)
    {
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            float weight = _weights[i];
            if (weight > bound || (weight == bound && equals-- > 0))
            {
                (_weights[kept], _ids[kept]) = (weight, _ids[i]);
                kept++;
            }
        }

        _count = kept;
    }

    // Quickselect by count or by mass: the weight at which the sum over larger ones first reaches the target, and the sum above it.
    private (float Bound, double Above) Select(double target, bool weighted)
    {
        _weights.AsSpan(0, _count).CopyTo(_selection);
        int low = 0, high = _count;
        double above = 0;
        while (true)
        {
            float pivot = MedianOfThree(_selection[low], _selection[low + ((high - low) / 2)], _selection[high - 1]);
            (int greaterEnd, int equalEnd, double greater) = Partition(low, high, pivot, weighted);
            if (greaterEnd > low && above + greater >= target)
            {
                high = greaterEnd;
                continue;
            }

            double equal = weighted ? (double)pivot * (equalEnd - greaterEnd) : equalEnd - greaterEnd;
            if (above + greater + equal >= target || equalEnd == high)
            {
                return (pivot, above + greater);
            }

            above += greater + equal;
            low = equalEnd;
        }
    }

    // Three-way partition of [low, high): larger than the pivot, equal, smaller; and the sum of the larger ones.
    private (int GreaterEnd, int EqualEnd, double Greater) Partition(int low, int high, float pivot, bool weighted)
    {
        double greater = 0;
        int i = low, equalStart = low, end = high;
        while (i < end)
        {
            float value = _selection[i];
            if (value > pivot)
            {
                greater += weighted ? value : 1;
                _selection[i++] = _selection[equalStart];
                _selection[equalStart++] = value;
            }
            else if (value < pivot)
            {
                _selection[i] = _selection[--end];
                _selection[end] = value;
            }
            else
            {
                i++;
            }
        }

        return (equalStart, end, greater);
    }

    private static float MedianOfThree(float a, float b, float c) =>
        MathF.Max(MathF.Min(a, b), MathF.Min(MathF.Max(a, b), c));
}
