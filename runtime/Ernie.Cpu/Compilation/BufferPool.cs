using Ernie.Cpu.Linear;
using Ernie.Cpu.Operations;

namespace Ernie.Cpu.Compilation;

/// <summary>Gives values memory while they live and takes it back for others of the same width.</summary>
internal sealed class BufferPool : IDisposable
{
    private readonly int _rows;
    private readonly int _maxColumns;
    private readonly List<RowStorage> _allRows = [];
    private readonly Dictionary<int, Stack<RowStorage>> _freeRows = [];
    private readonly List<QuantizedActivations> _allActivations = [];
    private readonly Stack<QuantizedActivations> _freeActivations = [];

    /// <param name="rows">Rows of every buffer.</param>
    /// <param name="maxColumns">Width of activations at most.</param>
    internal BufferPool(int rows, int maxColumns)
    {
        _rows = rows;
        _maxColumns = maxColumns;
    }

    /// <summary>Memory for a value.</summary>
    internal RowStorage TakeRows(int width)
    {
        int stride = RowStorage.PaddedWidth(width);
        if (_freeRows.TryGetValue(stride, out Stack<RowStorage>? free) && free.Count > 0)
            return free.Pop();
        var storage = new RowStorage(_rows, width);
        _allRows.Add(storage);
        return storage;
    }

    /// <summary>Takes a value's memory back.</summary>
    internal void Return(RowStorage storage)
    {
        if (!_freeRows.TryGetValue(storage.Stride, out Stack<RowStorage>? free))
            _freeRows.Add(storage.Stride, free = new Stack<RowStorage>());
        free.Push(storage);
    }

    /// <summary>Memory for a value's quantised form.</summary>
    internal QuantizedActivations TakeActivations()
    {
        if (_freeActivations.Count > 0)
            return _freeActivations.Pop();
        var activations = new QuantizedActivations(_rows, _maxColumns);
        _allActivations.Add(activations);
        return activations;
    }

    /// <summary>Takes a quantised form's memory back.</summary>
    internal void Return(QuantizedActivations activations) => _freeActivations.Push(activations);

    public void Dispose()
    {
        foreach (RowStorage storage in _allRows)
            storage.Dispose();
        foreach (QuantizedActivations activations in _allActivations)
            activations.Dispose();
    }
}
