using Ernie.Execution;
using Ernie.Sampling;

namespace Ernie.Benchmarks.Serving;

/// <summary>
/// An executor whose steps take a given time, or none, and whose tokens are made up: what is left is the engine and the server.
/// </summary>
/// <param name="sequences">Request slots.</param>
/// <param name="firstToken">Ids begin here; those before are control tokens and bytes.</param>
/// <param name="vocabulary">Ids end here.</param>
/// <param name="stepTime">Least time between the beginning of a step and its completion, as a device would take it.</param>
internal sealed class InstantExecutor(int sequences, int firstToken, int vocabulary, TimeSpan stepTime) : IExecutor, IDeviceSampling
{
    private const int TokensPerPage = 64;
    private const int LongestSequence = 2048;

    private readonly Queue<TimeSpan> _ends = new();
    private readonly MadeUpOutput _output = new(firstToken, vocabulary);
    private readonly System.Diagnostics.Stopwatch _clock = System.Diagnostics.Stopwatch.StartNew();
    private TimeSpan _free;

    public ExecutorInfo Info { get; } = new()
    {
        Device = "none",
        VocabularySize = vocabulary,
        PageCount = sequences * LongestSequence / TokensPerPage,
        TokensPerPage = TokensPerPage,
        MaxSequences = sequences,
        MaxBatchedTokens = 8192,
        MaxModelLength = LongestSequence,
        HiddenSize = 8,
        MaxStepsInFlight = 2,
    };

    public IDeviceSampling Sampling => this;

    public int MaxDrafts => 0;

    public int MaxLogprobs => -1;

    public int MaxStopTokens => int.MaxValue;

    public bool Supports(ILogitsProcessor processor, ReadOnlySpan<byte> state) => true;

    public bool Supports(ISampler sampler) => true;

    public void SetSlot(int slot, in DeviceSlot request)
    {
        // Tokens depend on nothing.
    }

    public void ReadScratch(int slot, Span<byte> scratch)
    {
        // Nothing is kept.
    }

    public void Begin(StepBatch batch)
    {
        TimeSpan now = _clock.Elapsed;
        _free = (_free > now ? _free : now) + stepTime;
        _ends.Enqueue(_free);
    }

    public StepOutput Complete()
    {
        TimeSpan end = _ends.Dequeue();
        while (_clock.Elapsed < end)
            Thread.SpinWait(20);
        _output.Step++;
        return _output;
    }

    public void Dispose()
    {
    }

    private sealed class MadeUpOutput(int firstToken, int vocabulary) : StepOutput
    {
        private int _token;

        public int Step { get; set; }

        // Neighbouring ids are of the same script, so the text has the mean length of a token's.
        public override ReadOnlySpan<int> Tokens(int row)
        {
            _token = firstToken + (int)(((uint)Step * 7919u + (uint)row * 104729u) % (uint)(vocabulary - firstToken));
            return new ReadOnlySpan<int>(in _token);
        }

        public override Span<float> Logits(int row, int index) => throw new NotSupportedException("Every row is sampled on the device.");

        public override ReadOnlySpan<float> Hidden(int row, int index) => throw new NotSupportedException("No row asks for hidden states.");
    }
}
