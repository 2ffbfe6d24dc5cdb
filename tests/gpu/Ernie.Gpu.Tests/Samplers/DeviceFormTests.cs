using System.Collections.Concurrent;
using Ernie.Cuda;
using Ernie.Sampling;
using Ernie.Testing.Samplers;

namespace Ernie.Gpu.Tests;

/// <summary>Every shipped sampler's device form against its CPU form: the same logits, parameters, state and random numbers.</summary>
public sealed class DeviceFormTests
{
    private const int Vocabulary = 103_424;

    private static readonly ConcurrentDictionary<(string Shape, int Seed), float[]> s_logits = [];

    public static TheoryData<string, string, int> Cases
    {
        get
        {
            TheoryData<string, string, int> cases = [];
            foreach (ISampler sampler in ShippedDeviceForms.All)
            {
                cases.Add(sampler.Name, "peaked", 0);
                cases.Add(sampler.Name, "flat", 1);
                cases.Add(sampler.Name, "ties", 3);
            }

            return cases;
        }
    }

    public static TheoryData<string> Names => ShippedDeviceForms.Names;

    [Theory]
    [MemberData(nameof(Cases))]
    public void Draw_ManySeeds_IsTheCpusToken(string name, string shape, int blocks)
    {
        const int Rows = 40;
        using DeviceSampler device = new(Gpu.Require(), Vocabulary, ShippedDeviceForms.All);
        ISampler sampler = ShippedDeviceForms.Named(name);
        IReadOnlyList<SamplingOptions> requests = ShippedDeviceForms.Requests(name);
        List<string> different = [];
        for (int round = 0; round < requests.Count; round++)
        {
            Request[] rows = [.. Enumerable.Range(0, Rows).Select(row => new Request(sampler, requests[round], Logits(shape, row), (round * Rows) + row))];
            int[] expected = new int[Rows];
            for (int row = 0; row < Rows; row++)
                rows[row].Put(device, row);
            Parallel.For(0, Rows, row => expected[row] = rows[row].DrawOnHost());

            int[] drawn = device.Draw(Rows, blocks);

            for (int row = 0; row < Rows; row++)
            {
                if (drawn[row] != expected[row])
                    different.Add($"request {round} row {row}: {drawn[row]}, on the CPU {expected[row]}");
            }
        }

        // The exponentials of the two differ in the last bit, which a draw beside a boundary may notice: about one in a hundred thousand.
        Assert.True(different.Count <= 1, $"{different.Count} of {Rows * requests.Count} draws differ: {string.Join("; ", different.Take(8))}");
    }

    [Fact]
    public void Draw_MixedBatch_IsWhatEachSamplerDrawsAlone()
    {
        const int Rows = 66;
        using DeviceSampler device = new(Gpu.Require(), Vocabulary, ShippedDeviceForms.All);
        Request[] rows =
        [
            .. Enumerable.Range(0, Rows).Select(row =>
            {
                ISampler sampler = ShippedDeviceForms.All[row % ShippedDeviceForms.All.Count];
                return new Request(sampler, ShippedDeviceForms.Requests(sampler.Name)[row / ShippedDeviceForms.All.Count], Logits("peaked", row), row);
            }),
        ];
        for (int row = 0; row < Rows; row++)
            rows[row].Put(device, row);
        int[] alone = new int[Rows];

        int[] together = device.Draw(Rows);

        using DeviceSampler single = new(Gpu.Require(), Vocabulary, ShippedDeviceForms.All, rowCapacity: 1);
        for (int row = 0; row < Rows; row++)
        {
            rows[row].Put(single, 0);
            alone[row] = single.Draw(1)[0];
        }

        Assert.Equal(alone, together);
        Assert.Equal(rows.Select(row => row.DrawOnHost()), together);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Draw_ManyRows_FollowsTheCpusDistribution(string name)
    {
        // Against the counts of the CPU form, whose distribution the contract tests compare with the exact one; other seeds.
        const int Rows = 128, Rounds = 40, Tokens = 300;
        using DeviceSampler device = new(Gpu.Require(), Vocabulary, ShippedDeviceForms.All);
        ISampler sampler = ShippedDeviceForms.Named(name);
        SamplingOptions options = ShippedDeviceForms.Requests(name)[^1] with { TopK = 0, TopP = 0.98f };
        float[] logits = new float[Vocabulary];
        Array.Fill(logits, -3.0e38f);
        Logits("peaked", 5).AsSpan(0, Tokens).CopyTo(logits);
        int[] onDevice = new int[Vocabulary], onHost = new int[Vocabulary];
        for (int row = 0; row < Rows; row++)
            device.SetLogits(row, logits);
        for (int round = 0; round < Rounds; round++)
        {
            for (int row = 0; row < Rows; row++)
                new Request(sampler, options, logits, (round * Rows) + row).Describe(device, row);
            foreach (int token in device.Draw(Rows))
                onDevice[token]++;
        }

        float[] few = logits[..Tokens];
        for (int draw = 0; draw < Rows * Rounds; draw++)
            onHost[new Request(sampler, options, few, 1_000_000 + draw).DrawOnHost()]++;

        double statistic = 0;
        int cells = 0, restDevice = 0, restHost = 0;
        for (int token = 0; token < Vocabulary; token++)
        {
            if (onDevice[token] + onHost[token] < 10)
            {
                restDevice += onDevice[token];
                restHost += onHost[token];
                continue;
            }

            statistic += Square(onDevice[token] - onHost[token]) / (onDevice[token] + onHost[token]);
            cells++;
        }

        if (restDevice + restHost > 0)
        {
            statistic += Square(restDevice - restHost) / (restDevice + restHost);
            cells++;
        }

        double freedom = Math.Max(1, cells - 1);
        Assert.True(statistic < freedom + (5 * Math.Sqrt(2 * freedom)) + 10, $"chi-square {statistic:F1} with {freedom} degrees of freedom");
    }

    [Fact]
    public void Mirostat_ManyDraws_KeepsItsStateOnTheDevice()
    {
        const int Draws = 40;
        using DeviceSampler device = new(Gpu.Require(), Vocabulary, ShippedDeviceForms.All, rowCapacity: 1);
        ISampler sampler = ShippedDeviceForms.Named("mirostat-2");
        SamplingOptions options = new() { Extra = new Dictionary<string, double> { ["mirostat_tau"] = 4 } };
        byte[] onHost = new byte[sampler.ScratchBytes], onDevice = new byte[sampler.ScratchBytes];

        for (int draw = 0; draw < Draws; draw++)
        {
            Request request = new(sampler, options, Logits("peaked", draw), draw) { Scratch = onHost };
            request.Put(device, 0, keepsScratch: draw > 0);
            int expected = request.DrawOnHost();

            Assert.Equal(expected, device.Draw(1)[0]);
            device.ReadScratch(0, onDevice);
            Assert.Equal(BitConverter.ToSingle(onHost), BitConverter.ToSingle(onDevice), 1e-3f);
        }
    }

    private static double Square(double value) => value * value;

    /// <summary>Logits like a model's (peaked), like an untrained one's (flat), or with thousands of equal ones (ties).</summary>
    internal static float[] Logits(string shape, int seed) => s_logits.GetOrAdd((shape, seed), key => Create(key.Shape, key.Seed));

    private static float[] Create(string shape, int seed)
    {
        Random random = new(seed + 17);
        float[] logits = new float[Vocabulary];
        for (int token = 0; token < Vocabulary; token++)
        {
            double gauss = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            logits[token] = shape switch
            {
                "peaked" => (float)((gauss * 2.5) + (random.Next(400) == 0 ? 8 * random.NextDouble() : 0)),
                "flat" => (float)gauss,
                _ => (float)(Math.Round(gauss * 4) / 4),
            };
        }

        return logits;
    }

    private sealed class Request
    {
        private readonly ISampler _sampler;
        private readonly float[] _logits;
        private readonly byte[] _parameters;
        private readonly ulong _seed;
        private readonly int[] _tokens;

        public Request(ISampler sampler, SamplingOptions options, float[] logits, int number)
        {
            _sampler = sampler;
            _logits = logits;
            _parameters = new byte[sampler.ParameterBytes];
            sampler.WriteParameters(options, _parameters);
            _seed = ((ulong)number + 1) * 0x9E3779B97F4A7C15;
            Random random = new(number);
            // Few different tokens, so that they repeat.
            _tokens = [.. Enumerable.Range(0, 1 + random.Next(400)).Select(_ => random.Next(5))];
            Scratch = new byte[sampler.ScratchBytes];
        }

        public byte[] Scratch { get; init; }

        public void Put(DeviceSampler device, int row, bool keepsScratch = false)
        {
            device.SetLogits(row, _logits);
            Describe(device, row, keepsScratch);
        }

        public void Describe(DeviceSampler device, int row, bool keepsScratch = false) =>
            device.SetRow(row, _sampler, _parameters, _seed, 3, _tokens, keepsScratch ? [] : Scratch);

        public int DrawOnHost()
        {
            SamplingRow row = new()
            {
                Logits = _logits.ToArray(),
                Parameters = _parameters,
                Random = new Philox(_seed, _tokens.Length, 3),
                Tail = _tokens.AsSpan(Math.Max(0, _tokens.Length - SamplerLimits.TailTokens)),
                Scratch = Scratch,
            };
            return _sampler.Sample(ref row);
        }
    }
}
