using Ernie.Cuda;
using Ernie.Sampling;
using Xunit;

namespace Ernie.Testing.Contracts;

/// <summary>What every logits processor must hold: a state that fits, no work and no memory where it is not asked for, and the same row on the device.</summary>
public abstract class LogitsProcessorContract
{
    private const int Prompt = 40;

    /// <summary>Makes the processor.</summary>
    protected abstract ILogitsProcessor Create();

    /// <summary>Requests that use it and fit the device.</summary>
    protected abstract IReadOnlyList<SamplingOptions> Settings { get; }

    /// <summary>Stop tokens of the requests.</summary>
    protected virtual int[] StopTokens => [2, 77];

    /// <summary>Whether the requests have a token mask.</summary>
    protected virtual bool HasTokenMask => false;

    /// <summary>A request that uses no processor.</summary>
    private static ProcessorRequest Nothing => new() { Options = new SamplingOptions() };

    [Fact]
    public void Processor_NameAndSizes_AreWithinTheContract()
    {
        ILogitsProcessor processor = Create();

        Assert.Matches("^[a-z0-9]+(-[a-z0-9]+)*$", processor.Name);
        Assert.InRange(processor.DeviceStateBytes, 16, ProcessorLimits.MaxStateBytes);
        Assert.Equal(0, processor.DeviceStateBytes % 16);
    }

    [Fact]
    public void CreateState_OfARequestWithoutIt_IsEmpty()
    {
        Assert.Empty(Create().CreateState(Nothing));
    }

    [Fact]
    public void CreateState_OfEverySetting_FitsTheDevice()
    {
        ILogitsProcessor processor = Create();
        foreach (SamplingOptions options in Settings)
        {
            byte[] state = processor.CreateState(Request(options));

            Assert.NotEmpty(state);
            Assert.True(processor.FitsDevice(state), options.ToString());
            Assert.Equal(state, processor.CreateState(Request(options)));
        }
    }

    [Fact]
    public void Process_AllocatesNothing_AndIsRepeatable()
    {
        ILogitsProcessor processor = Create();
        foreach (SamplingOptions options in Settings)
        {
            byte[] state = processor.CreateState(Request(options));
            var row = new Row(4096, 3);
            float[] once = row.Process(processor, state), again = row.Process(processor, state);
            Assert.Equal(once, again);
            LogitsRow view = row.View((float[])row.Logits.Clone(), processor);
            processor.Process(ref view, state);
            long before = GC.GetAllocatedBytesForCurrentThread();
            processor.Process(ref view, state);

            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    /// <summary>Vocabularies of one block a row and of several, short outputs and ones longer than the device's tail.</summary>
    [Theory]
    [InlineData(4096, 0)]
    [InlineData(4096, 7)]
    [InlineData(4096, 300)]
    [InlineData(103_424, 60)]
    public void Process_OnTheDevice_GivesTheHostsRow(int vocabulary, int output)
    {
        ILogitsProcessor processor = Create();
        Assert.SkipWhen(processor.Device is null, $"'{processor.Name}' has no device form: its requests are drawn on the host.");
        CudaDevice? device = OpenDevice(out string reason);
        Assert.SkipWhen(device is null, reason);
        using (device)
        {
            var sampler = new FirstTokenSampler();
            using var onDevice = new DeviceSampler(device, vocabulary, [sampler], Settings.Count, [processor]);
            Row[] rows = [.. Settings.Select((_, seed) => new Row(vocabulary, seed, output))];
            foreach (int blocks in (int[])[1, 2, 8])
            {
                for (int i = 0; i < rows.Length; i++)
                {
                    byte[] state = processor.CreateState(Request(Settings[i]));
                    onDevice.SetLogits(i, rows[i].Logits);
                    onDevice.SetRow(i, sampler, [], 5, 0, rows[i].Tokens, []);
                    onDevice.SetProcessors(i, [new ProcessorState(processor, state)], rows[i].Tokens, Prompt, HasTokenMask ? rows[i].Mask : []);
                }

                onDevice.Draw(rows.Length, blocks);
                for (int i = 0; i < rows.Length; i++)
                {
                    float[] expected = rows[i].Process(processor, processor.CreateState(Request(Settings[i])), HasTokenMask);
                    var actual = new float[vocabulary];
                    onDevice.ReadLogits(i, actual);
                    for (int token = 0; token < vocabulary; token++)
                    {
                        // A product and a sum may be one operation there; what is masked is out of reach on both sides.
                        bool isMasked = float.IsNegativeInfinity(expected[token]);
                        Assert.True(
                            isMasked ? actual[token] <= ProcessorLimits.DeviceMask * 0.5f : Math.Abs(expected[token] - actual[token]) <= 1e-6f * (1 + Math.Abs(expected[token])),
                            $"{Settings[i]}, {blocks} blocks, token {token}: {actual[token]:R}, on the host {expected[token]:R}");
                    }
                }
            }
        }
    }

    /// <summary>The request of some options.</summary>
    /// <param name="options">One of <see cref="Settings"/>.</param>
    private ProcessorRequest Request(SamplingOptions options) => new() { Options = options, StopTokens = StopTokens, HasTokenMask = HasTokenMask };

    private static CudaDevice? OpenDevice(out string reason)
    {
        try
        {
            reason = "";
            return CudaDevice.Open();
        }
        catch (CudaUnavailableException e)
        {
            reason = "No GPU: " + e.Message;
            return null;
        }
    }

    /// <summary>A row of logits behind a prompt and an output of few different tokens, so that they repeat.</summary>
    private sealed class Row
    {
        private readonly int[] _counts;
        private readonly int[] _seen;

        public Row(int vocabulary, int seed, int output = 20)
        {
            var random = new Random(seed + 9);
            Logits = [.. Enumerable.Range(0, vocabulary).Select(_ => (random.NextSingle() * 20) - 10)];
            Tokens = [.. Enumerable.Range(0, Prompt + output).Select(i => i < Prompt ? random.Next(30) : random.Next(10, 16))];
            Mask = [.. Enumerable.Range(0, (vocabulary + 31) / 32).Select(i => i % 5 == 0 ? uint.MaxValue : (uint)random.Next())];
            _counts = new int[vocabulary];
            foreach (int token in Tokens[Prompt..])
            {
                _counts[token]++;
            }

            _seen = [.. Tokens.Distinct()];
        }

        public float[] Logits { get; }

        public int[] Tokens { get; }

        public uint[] Mask { get; }

        public LogitsRow View(float[] logits, ILogitsProcessor processor, bool masks = true)
        {
            bool counts = processor.Needs.HasFlag(SamplerNeeds.TokenCounts);
            return new LogitsRow
            {
                Logits = logits,
                Output = Tokens.AsSpan(Prompt),
                TokenCounts = counts ? _counts : [],
                SeenTokens = counts ? _seen : [],
                Mask = masks ? Mask : [],
            };
        }

        public float[] Process(ILogitsProcessor processor, byte[] state, bool masks = true)
        {
            float[] logits = [.. Logits];
            LogitsRow row = View(logits, processor, masks);
            processor.Process(ref row, state);
            return logits;
        }
    }

    /// <summary>Draws token 0 and leaves the row as it is.</summary>
    private sealed class FirstTokenSampler : ISampler
    {
        public string Name => "first-token";

        public int ParameterBytes => 0;

        public DeviceSnippet? Device { get; } = new(
            "FirstTokenSampler",
            """
            struct FirstTokenSampler {
                static constexpr bool kSplits = true;

                template <class Row>
                static __device__ int sample(Row&) { return 0; }
            };
            """);

        public void WriteParameters(SamplingOptions options, Span<byte> destination)
        {
            // There are none.
        }

        public int Sample(ref SamplingRow row) => 0;
    }
}
