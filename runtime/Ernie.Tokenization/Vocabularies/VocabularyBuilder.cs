using System.Runtime.CompilerServices;
using System.Text;

namespace Ernie.Tokenization.Vocabularies;

/// <summary>Collects pieces and added tokens into a <see cref="Vocabulary"/>.</summary>
/// <param name="path">The file they come from, for errors.</param>
/// <param name="idCount">Expected number of ids.</param>
/// <param name="byteCount">Expected number of bytes of all spellings.</param>
internal sealed class VocabularyBuilder(string path, int idCount, int byteCount)
{
    /// <summary>Larger ids are refused; bounds the memory that a hostile file can claim.</summary>
    public const int MaximumIds = 1 << 23;

    private byte[] _bytes = new byte[byteCount];
    private int[] _offsets = new int[idCount];
    private int[] _lengths = new int[idCount];
    private PieceKind[] _kinds = new PieceKind[idCount];
    private int _usedBytes;
    private int _count;

    /// <summary>What an id is so far.</summary>
    public PieceKind Kind(int id) => (uint)id < (uint)_count ? _kinds[id] : PieceKind.Missing;

    /// <summary>Whether an id stands for exactly this text so far.</summary>
    public bool Spells(int id, string text) =>
        Kind(id) != PieceKind.Missing && _bytes.AsSpan(_offsets[id], _lengths[id]).SequenceEqual(Encoding.UTF8.GetBytes(text));

    /// <summary>Sets what an id stands for.</summary>
    /// <param name="id">The id.</param>
    /// <param name="bytes">What it decodes to; spaces as spaces.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="field">The field that says so, for errors.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Set(int id, ReadOnlySpan<byte> bytes, PieceKind kind, string field)
    {
        if ((uint)id >= MaximumIds) throw new TokenizerFormatException(path, field, $"id {id} is outside 0 to {MaximumIds - 1}");
        if (id >= _kinds.Length) Resize(Math.Min(MaximumIds, Math.Max(id + 1, _kinds.Length + (_kinds.Length / 2))));
        if (_usedBytes + bytes.Length > _bytes.Length) Array.Resize(ref _bytes, Math.Max(_usedBytes + bytes.Length, _bytes.Length * 2));
        bytes.CopyTo(_bytes.AsSpan(_usedBytes));
        _offsets[id] = _usedBytes;
        _lengths[id] = bytes.Length;
        _kinds[id] = kind;
        _usedBytes += bytes.Length;
        _count = Math.Max(_count, id + 1);
    }

    /// <summary>Finishes.</summary>
    public Vocabulary Build()
    {
        Resize(_count);
        return new Vocabulary(_bytes, _offsets, _lengths, _kinds);
    }

    private void Resize(int count)
    {
        Array.Resize(ref _offsets, count);
        Array.Resize(ref _lengths, count);
        Array.Resize(ref _kinds, count);
    }
}
