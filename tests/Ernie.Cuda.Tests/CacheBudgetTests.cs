using Ernie.Cuda.Memory;
using Ernie.Cuda.Nvrtc;

namespace Ernie.Cuda.Tests;

public sealed class CacheBudgetTests
{
    private const long MiB = 1L << 20;
    private const long PageBytes = MiB;

    // An H200 whose other server has taken 0.4 of it.
    private static DeviceMemory Shared(long ownMiB = 0) => new("NVIDIA H200", 143_155 * MiB, (84_773 - ownMiB) * MiB, ownMiB * MiB);

    private static DeviceMemory Alone(long ownMiB = 0) => new("NVIDIA H200", 143_155 * MiB, (142_555 - ownMiB) * MiB, ownMiB * MiB);

    [Fact]
    public void Pages_OfTwoServersAtFourTenths_AreTheSame()
    {
        long first = CacheBudget.Pages(Alone(ownMiB: 1000), 0.4, null, PageBytes, 512);
        long second = CacheBudget.Pages(Shared(ownMiB: 1000), 0.4, null, PageBytes, 512);

        Assert.Equal(57_262 - 1000 - 256, first);
        Assert.Equal(first, second);
    }

    [Theory]
    [InlineData(0.59, true)]
    [InlineData(0.592, true)]
    [InlineData(0.593, false)]
    [InlineData(0.9, false)]
    public void Share_MustBeFree(double utilization, bool isTaken)
    {
        if (isTaken)
        {
            CacheBudget.CheckShare(Shared(), utilization);
            return;
        }

        CudaUnavailableException e = Assert.Throws<CudaUnavailableException>(() => CacheBudget.CheckShare(Shared(), utilization));
        Assert.Equal(CudaDiagnostics.OutOfMemory, e.DiagnosticId);
        Assert.Contains("84773 MiB are free", e.Message, StringComparison.Ordinal);
        Assert.Contains("other processes hold 58382 MiB", e.Message, StringComparison.Ordinal);
        Assert.Contains("0.59 would fit.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Share_ThatTheMessageNames_Fits()
    {
        foreach (long freeMiB in (long[])[1432, 2000, 7777, 50_000, 100_001, 143_000])
        {
            var memory = new DeviceMemory("card", 143_155 * MiB, freeMiB * MiB, 0);
            string message = Assert.Throws<CudaUnavailableException>(() => CacheBudget.CheckShare(memory, 1)).Message;
            double named = double.Parse(message[..message.IndexOf(" would fit", StringComparison.Ordinal)].Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture);

            CacheBudget.CheckShare(memory, named);
            Assert.Throws<CudaUnavailableException>(() => CacheBudget.CheckShare(memory, named + 0.011));
        }
    }

    [Fact]
    public void Share_OfAFullCard_SaysThatNothingFits()
    {
        var memory = new DeviceMemory("card", 24_000 * MiB, 100 * MiB, 0);

        Assert.Contains("CUDA_VISIBLE_DEVICES", Assert.Throws<CudaUnavailableException>(() => CacheBudget.CheckShare(memory, 0.9)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(513, false)]
    [InlineData(512, true)]
    public void Pages_HoldOneSequenceOrSayWhatWould(int pagesPerSequence, bool isTaken)
    {
        // A share of 2,000 MiB, of which weights take 1,232 and 256 are kept back.
        var memory = new DeviceMemory("card", 20_000 * MiB, 15_000 * MiB, 1232 * MiB);
        if (isTaken)
        {
            Assert.Equal(512, CacheBudget.Pages(memory, 0.1, null, PageBytes, pagesPerSequence));
            return;
        }

        string message = Assert.Throws<CudaUnavailableException>(() => CacheBudget.Pages(memory, 0.1, null, PageBytes, pagesPerSequence)).Message;
        Assert.Contains("the cache holds 32768 tokens, and one sequence of max-model-len takes 32832", message, StringComparison.Ordinal);
        Assert.Contains("--gpu-memory-utilization 0.11 would do", message, StringComparison.Ordinal);
        Assert.True(CacheBudget.Pages(memory, 0.11, null, PageBytes, pagesPerSequence) >= pagesPerSequence);
    }

    [Fact]
    public void Pages_ThatNoShareHolds_AreNotPromisedByOne()
    {
        var memory = new DeviceMemory("card", 20_000 * MiB, 3000 * MiB, 1000 * MiB);

        string message = Assert.Throws<CudaUnavailableException>(() => CacheBudget.Pages(memory, 0.1, null, PageBytes, 10_000)).Message;

        Assert.DoesNotContain("would do", message, StringComparison.Ordinal);
        Assert.Contains("Use a lower --max-model-len", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pages_OfWeightsBeyondTheShare_AreRefused()
    {
        Assert.Contains("the cache holds 0 tokens", Assert.Throws<CudaUnavailableException>(() => CacheBudget.Pages(Alone(20_000), 0.1, null, PageBytes, 1)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(83_517, true)]
    [InlineData(83_518, false)]
    public void Override_BeyondMemory_IsNamedWithWhatItTakes(int pages, bool isTaken)
    {
        if (isTaken)
        {
            Assert.Equal(pages, CacheBudget.Pages(Shared(ownMiB: 1000), 0.01, pages, PageBytes, 512));
            return;
        }

        string message = Assert.Throws<CudaUnavailableException>(() => CacheBudget.Pages(Shared(ownMiB: 1000), 0.01, pages, PageBytes, 512)).Message;
        Assert.Contains("--num-gpu-blocks-override is 83518: so many pages of 64 tokens take 83518 MiB", message, StringComparison.Ordinal);
        Assert.Contains("83517 pages would fit", message, StringComparison.Ordinal);
        Assert.DoesNotContain("max-model-len", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(512, true)]
    [InlineData(511, false)]
    public void Override_BelowOneSequence_SaysHowManyItTakes(int pages, bool isTaken)
    {
        if (isTaken)
            Assert.Equal(pages, CacheBudget.Pages(Alone(), 0.9, pages, PageBytes, 512));
        else
            Assert.Contains("Use 512 at least, or lower --max-model-len to 32704.", Assert.Throws<CudaUnavailableException>(() => CacheBudget.Pages(Alone(), 0.9, pages, PageBytes, 512)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Override_OfTheLargestNumber_DoesNotOverflow()
    {
        Assert.Throws<CudaUnavailableException>(() => CacheBudget.Pages(Alone(), 0.9, int.MaxValue, 100 * MiB, 512));
    }

    [Theory]
    [InlineData(0.4, 56_262)]
    [InlineData(0.9, 83_773)]
    [InlineData(0.001, 0)]
    public void Room_IsTheShareWithinWhatIsFree(double utilization, long expectedMiB)
    {
        Assert.Equal(expectedMiB, CacheBudget.Room(Shared(ownMiB: 1000), utilization) / MiB);
    }

    [Theory]
    [InlineData(600, 0, false)]
    [InlineData(1024, null, false)]
    [InlineData(1025, null, true)]
    [InlineData(600, 1, true)]
    [InlineData(58_382, 0, true)]
    [InlineData(58_382, 2, true)]
    public void Advice_IsGivenWhereOthersUseTheCard(long heldMiB, int? processes, bool isGiven)
    {
        string? advice = SharedCard.PersistentKernelAdvice(new DeviceMemory("card", 143_155 * MiB, (143_155 - heldMiB) * MiB, 0), processes);

        Assert.Equal(isGiven, advice is not null);
        if (advice is not null)
        {
            Assert.Contains("--no-persistent-kernel", advice, StringComparison.Ordinal);
            Assert.Contains($"{heldMiB} MiB", advice, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void NvrtcFolder_ThatDoesNotHoldTheCompiler_IsNamed()
    {
        DirectoryInfo empty = Directory.CreateTempSubdirectory("ernie-nvrtc-");
        string file = Path.Combine(empty.FullName, "libnvrtc.so.13");

        Assert.Contains("there is no such folder", Refusal("/nowhere"), StringComparison.Ordinal);
        Assert.Contains("holds none of libnvrtc.so.13", Refusal(empty.FullName), StringComparison.Ordinal);
        File.WriteAllText(file, "");
        NvrtcLocator.RequireLibrary(empty.FullName);
        Assert.Contains("that is a file", Refusal(file), StringComparison.Ordinal);
        empty.Delete(recursive: true);

        static string Refusal(string folder)
        {
            CudaUnavailableException e = Assert.Throws<CudaUnavailableException>(() => NvrtcLocator.RequireLibrary(folder));
            Assert.Equal(CudaDiagnostics.NoCompiler, e.DiagnosticId);
            Assert.Contains($"ERNIE_NVRTC is '{folder}'", e.Message, StringComparison.Ordinal);
            return e.Message;
        }
    }
}
