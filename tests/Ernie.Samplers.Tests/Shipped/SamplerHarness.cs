using Ernie.Sampling;
using Ernie.Text;

namespace Ernie.Samplers.Tests.Shipped;

/// <summary>One request of one sampler: its parameter block, its scratch and its row, reused from draw to draw.</summary>
internal sealed class SamplerHarness
{
    private readonly ISampler _sampler;
    private readonly byte[] _parameters;
    private readonly byte[] _scratch;
    private readonly float[] _row;

    public SamplerHarness(string name, SamplingOptions options, int vocabulary, ITokenizer? tokenizer = null)
    {
        _sampler = ShippedSamplers.ByName[name];
        _parameters = new byte[_sampler.ParameterBytes];
        _scratch = new byte[_sampler.ScratchBytes];
        _row = new float[vocabulary];
        _sampler.WriteParameters(options, tokenizer, _parameters);
    }

    public int[] Tail { get; set; } = [];

    public int Draw(ReadOnlySpan<float> logits, ulong seed, long position)
    {
        logits.CopyTo(_row);
        var row = new SamplingRow
        {
            Logits = _row,
            Parameters = _parameters,
            Random = new Philox(seed, position),
            Tail = Tail,
            Scratch = _scratch,
        };
        return _sampler.Sample(ref row);
    }

    /// <summary>How often each token is drawn at positions 0 … draws − 1.</summary>
    public int[] Count(ReadOnlySpan<float> logits, int draws, ulong seed)
    {
        int[] counts = new int[logits.Length];
        for (int position = 0; position < draws; position++)
        {
            Array.Clear(_scratch);
            counts[Draw(logits, seed, position)]++;
        }

        return counts;
    }
}
