using System.Runtime.CompilerServices;
using Ernie.Cuda.Execution;
using Ernie.Execution;
using Ernie.Kernels;

namespace Ernie.Gpu.Tests.Logprobs;

/// <summary>The kernel by itself against sorting, over rows of every shape that its selection might stumble over.</summary>
public sealed class LogProbabilityKernelTests
{
    private const int Poison = -77;

    /// <summary>Models with one and with several blocks a row.</summary>
    public static TheoryData<string, string> Rows => new(
        from model in (string[])["tales", "ernie-4.5-0.3b"]
        from shape in (string[])["normal", "peaked", "ties", "equal", "ascending", "descending", "one thread", "few", "zeros", "huge"]
        select (model, shape));

    [Theory]
    [MemberData(nameof(Rows))]
    public unsafe void Tell_ARow_IsWhatSortingSays(string model, string shape)
    {
        using KernelBench bench = new(model, plan => plan.LogProbabilities);
        int vocabulary = bench.Shape.VocabularySize, blocks = LogProbabilityKernel.Blocks(vocabulary);
        float[][] rows = [.. Enumerable.Range(0, 3).Select(seed => Create(shape, vocabulary, seed))];
        float[] kept = Create("normal", vocabulary, 99);
        LogprobOracle[] oracles = [.. rows.Select(row => new LogprobOracle(row))];
        LogprobOracle ofKept = new(kept);
        int[] order = [.. Enumerable.Range(0, vocabulary).OrderByDescending(id => rows[0][id]).ThenBy(id => id)];
        int[] lastTokens = [.. Enumerable.Repeat(Poison, 5), order[1]];
        // Every count of rivals around the ends, tokens of every rank, one that a slot has drawn, and a row that was kept.
        List<LogProbabilityWish> wishes =
        [
            .. ((int[])[0, 1, 2, 5, 19, 20]).Select(rivals => new LogProbabilityWish { LogitRow = 0, Token = order[rivals], Slot = 0, Rivals = rivals }),
            new() { LogitRow = 0, Token = order[^1], Slot = 0, Rivals = 3 },
            new() { LogitRow = 0, Token = 0, Slot = 0, Rivals = 20 },
            new() { LogitRow = 0, Token = vocabulary - 1, Slot = 0, Rivals = 20 },
            new() { LogitRow = 0, Token = -1, Slot = 5, Rivals = 20 },
            new() { LogitRow = 1, Token = vocabulary / 2, Slot = 0, Rivals = 20 },
            new() { LogitRow = 2, Token = vocabulary / 3, Slot = 0, Rivals = 20 },
            new() { LogitRow = 3, Token = 17, Slot = 0, Rivals = 20 },
        ];
        float[] none = new float[3 * vocabulary];
        LogProbabilityArguments arguments = new()
        {
            Logits = bench.Upload<float>([.. rows.SelectMany(row => row), .. none.AsSpan(0, vocabulary)]),
            Kept = bench.Upload<float>([.. none, .. kept]),
            IsKept = bench.Upload<int>([0, 0, 0, 1]),
            Wishes = bench.Upload<LogProbabilityWish>([.. wishes]),
            LastToken = bench.Upload(lastTokens),
            Parts = bench.Upload(new byte[wishes.Count * blocks * LogProbabilityKernel.PartBytes]),
            Bests = bench.Upload(new ulong[wishes.Count * blocks * LogProbabilityKernel.Threads]),
            Arrivals = bench.Upload(new int[wishes.Count]),
            Records = bench.Upload(new LogProbabilityRecord[wishes.Count]),
            LogitStride = vocabulary,
        };

        // The second launch finds what the first has left.
        for (uint stamp = 8; stamp < 10; stamp++)
        {
            arguments.Stamp = stamp;
            bench.Kernel.Launch(bench.Stream.Handle, blocks, wishes.Count, 1, arguments, overlapsPrevious: false);

            LogProbabilityRecord[] records = bench.Download<LogProbabilityRecord>(arguments.Records, wishes.Count);
            for (int i = 0; i < wishes.Count; i++)
            {
                LogProbabilityWish wish = wishes[i];
                Assert.Equal((i, stamp), (i, records[i].Stamp));
                TokenLogits told = new()
                {
                    Token = records[i].Token, Rank = records[i].Rank, Logit = records[i].Logit, LogSum = records[i].LogSum,
                    Rivals = new ReadOnlySpan<int>(Unsafe.AsPointer(ref records[i].Rivals[0]), wish.Rivals).ToArray(),
                    RivalLogits = new ReadOnlySpan<float>(Unsafe.AsPointer(ref records[i].RivalLogits[0]), wish.Rivals).ToArray(),
                };
                (wish.LogitRow < rows.Length ? oracles[wish.LogitRow] : ofKept).AssertTold(
                    $"{shape}, wish {i}", wish.Token >= 0 ? wish.Token : lastTokens[wish.Slot], wish.Rivals, in told);
            }

            Assert.All(bench.Download<int>(arguments.Arrivals, wishes.Count), count => Assert.Equal(0, count));
        }
    }

    private static float[] Create(string shape, int vocabulary, int seed)
    {
        Random random = new(seed + 5);
        float[] logits = [.. Enumerable.Range(0, vocabulary).Select(token => shape switch
        {
            "equal" => 1.5f,
            "ascending" => token * 0.001f,
            "descending" => -token * 0.001f,
            "zeros" => token % 3 == 0 ? -0f : token % 3 == 1 ? 0f : -1,
            "ties" => MathF.Round(Gauss(random) * 4) / 4,
            "peaked" => Gauss(random) + (random.Next(500) == 0 ? 8 : 0),
            "huge" => Gauss(random) * 1e30f,
            // Fewer finite logits than rivals: the lowest ids follow.
            "few" => token % (vocabulary / 7) == seed + 3 ? Gauss(random) : float.NegativeInfinity,
            _ => Gauss(random),
        })];
        // The 28 vectors' elements of one thread are the best of all.
        for (int vector = 0; shape == "one thread" && vector < 7; vector++)
        {
            for (int i = 0; i < 4; i++)
            {
                int token = (4 * ((vector * 512) + 200 + seed)) + i;
                if (token < vocabulary)
                    logits[token] = 50 + ((token * 7919) % 31);
            }
        }

        return logits;
    }

    private static float Gauss(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
