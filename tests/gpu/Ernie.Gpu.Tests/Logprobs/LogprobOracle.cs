using Ernie.Execution;

namespace Ernie.Gpu.Tests.Logprobs;

/// <summary>What is to be told of a token in a row of logits: by sorting, with the sum in double.</summary>
internal sealed class LogprobOracle
{
    private readonly float[] _logits;
    private readonly int[] _order;
    private readonly double _logSum;

    public LogprobOracle(float[] logits)
    {
        _logits = logits;
        _order = [.. Enumerable.Range(0, logits.Length)];
        Array.Sort(_order, (x, y) => logits[x] == logits[y] ? x.CompareTo(y) : logits[y].CompareTo(logits[x]));
        double largest = logits[_order[0]], sum = 0;
        foreach (float logit in logits)
            sum += Math.Exp(logit - largest);
        _logSum = largest + Math.Log(sum);
    }

    /// <summary>Of exactly these logits.</summary>
    public void AssertTold(string what, int token, int rivals, in TokenLogits told)
    {
        Assert.Equal((what, token, 1 + Above(_logits[token])), (what, told.Token, told.Rank));
        Assert.Equal(_logits[token], told.Logit);
        Assert.Equal((what, string.Join(' ', _order.Take(rivals))), (what, string.Join(' ', told.Rivals.ToArray())));
        Assert.Equal(_order.Take(rivals).Select(id => _logits[id]), told.RivalLogits.ToArray());
        // Exponentials to 2^-22, and sums of some hundred of them in f32: a few units of the last place of the sum, so as much of its logarithm.
        Assert.True(Math.Abs(_logSum - told.LogSum) <= 4e-6 * Math.Max(1, Math.Abs(_logSum) / 8), $"{what}: log of the sum {told.LogSum:R}, in double {_logSum:R}");
    }

    /// <summary>Of the same logits computed by other kernels, so that each may be off by as much.</summary>
    public void AssertTold(string what, int token, int rivals, in TokenLogits told, float tolerance)
    {
        Assert.Equal((what, token), (what, told.Token));
        Assert.True(Math.Abs(_logits[token] - told.Logit) <= tolerance, $"{what}: logit {told.Logit}, not {_logits[token]}");
        Assert.InRange(told.Rank, 1 + Above(_logits[token] + (2 * tolerance)), 1 + Above(_logits[token] - (2 * tolerance)));
        Assert.True(Math.Abs(_logSum - told.LogSum) <= tolerance + 1e-5, $"{what}: log of the sum {told.LogSum:R}, in double {_logSum:R}");
        Assert.Equal((what, rivals), (what, told.Rivals.Length));
        for (int i = 0; i < rivals; i++)
        {
            Assert.True(Math.Abs(_logits[_order[i]] - told.RivalLogits[i]) <= tolerance, $"{what}: rival {i} has {told.RivalLogits[i]}, not {_logits[_order[i]]}");
            Assert.True(Math.Abs(_logits[told.Rivals[i]] - told.RivalLogits[i]) <= tolerance, $"{what}: token {told.Rivals[i]} is told to have {told.RivalLogits[i]}");
        }
    }

    private int Above(float bound) => _logits.Count(logit => logit > bound);
}
