namespace Ernie.Cuda.Execution;

/// <summary>Where in a step's input the rows of logits are listed whose log-probabilities are wanted. Kept while the device goes on by itself.</summary>
/// <param name="mostChunks">Chunks of prompts that a step can have.</param>
internal sealed class LogProbabilityLists(int mostChunks)
{
    private readonly (int Offset, int Count)[] _chunks = new (int, int)[mostChunks];
    private int _chunkCount;

    /// <summary>Drawn tokens, whose list lies at <see cref="DrawnOffset"/>.</summary>
    public int Drawn { get; private set; }

    /// <summary>In ints from the start of the input.</summary>
    public int DrawnOffset { get; private set; }

    /// <summary>Tokens of prompts, chunk by chunk: wishes at an offset in ints, then their number, a gap, and the tokens of the step whose logits they are.</summary>
    public ReadOnlySpan<(int Offset, int Count)> Chunks => _chunks.AsSpan(0, _chunkCount);

    /// <summary>Whether nothing is wanted.</summary>
    public bool IsEmpty => Drawn == 0 && _chunkCount == 0;

    /// <summary>Begins the lists of a step.</summary>
    public void Clear() => (Drawn, DrawnOffset, _chunkCount) = (0, 0, 0);

    /// <summary>Notes the list of drawn tokens.</summary>
    public void SetDrawn(int offset, int count) => (DrawnOffset, Drawn) = (offset, count);

    /// <summary>Notes a chunk.</summary>
    public void AddChunk(int offset, int count) => _chunks[_chunkCount++] = (offset, count);
}
