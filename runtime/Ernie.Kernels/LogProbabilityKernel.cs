namespace Ernie.Kernels;

/// <summary>The kernel that tells how probable tokens were: log_probabilities, for drawn tokens and for those of prompts.</summary>
public static class LogProbabilityKernel
{
    /// <summary>Best tokens of a row that it tells at most; kMostRivals of ernie/sampling/log_probabilities.cuh.</summary>
    public const int MostRivals = 20;

    /// <summary>Bytes of ernie::LogProbabilityPart, of which each block of a row has one.</summary>
    public const int PartBytes = 4 * sizeof(int);

    /// <summary>Threads of a block.</summary>
    public const int Threads = 512;

    // Vectors of four logits that a thread holds: two blocks of a multiprocessor have the registers for these.
    private const int MostVectors = 7;

    /// <summary>Blocks that share a row.</summary>
    /// <param name="vocabularySize">Logits of a row.</param>
    public static int Blocks(int vocabularySize) => Ceiling(vocabularySize, 4 * Threads * MostVectors);

    /// <summary>Specifies the kernel.</summary>
    /// <param name="vocabularySize">Logits of a row; a multiple of 4.</param>
    public static KernelSpec Create(int vocabularySize)
    {
        int blocks = Blocks(vocabularySize);
        return new KernelSpec
        {
            Name = "ernie_log_probabilities",
            Header = "ernie/sampling/log_probabilities.cuh",
            Function = "log_probabilities",
            Arguments = "LogProbabilityArgs",
            Threads = Threads,
            MinBlocks = 2,
            Constants =
            [
                KernelConstant.Of("kVocabulary", vocabularySize),
                KernelConstant.Of("kBlocks", blocks),
                KernelConstant.Of("kVectors", Ceiling(vocabularySize, 4 * Threads * blocks)),
            ],
        };
    }

    private static int Ceiling(int value, int divisor) => (value + divisor - 1) / divisor;
}
