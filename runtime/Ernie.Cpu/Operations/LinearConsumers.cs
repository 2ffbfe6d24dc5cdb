using Ernie.Cpu.Linear;

namespace Ernie.Cpu.Operations;

/// <summary>The linear layers that read a value and want its rows prepared as soon as they are written.</summary>
internal sealed unsafe class LinearConsumers
{
    private readonly LinearLayer[] _layers;

    /// <param name="layers">Layers with a preparation of their own; layers that share one appear once.</param>
    internal LinearConsumers(LinearLayer[] layers) => _layers = layers;

    /// <summary>Whether strips of so many columns are whole blocks of every layer.</summary>
    internal bool BlocksDivide(int columns) => _layers.All(layer => columns % (layer.Columns / layer.BlockCount) == 0);

    /// <summary>Prepares a whole row.</summary>
    internal void Prepare(SliceState slice, int token, float* row)
    {
        foreach (LinearLayer layer in _layers)
            layer.Prepare(slice.Plan, token, row, 0, layer.BlockCount);
    }

    /// <summary>Prepares some columns of a row.</summary>
    /// <param name="slice">The tokens.</param>
    /// <param name="token">The token.</param>
    /// <param name="row">The whole row.</param>
    /// <param name="firstColumn">A multiple of every block length.</param>
    /// <param name="endColumn">The same, or the end of the row.</param>
    internal void Prepare(SliceState slice, int token, float* row, int firstColumn, int endColumn)
    {
        foreach (LinearLayer layer in _layers)
        {
            int blockLength = layer.Columns / layer.BlockCount;
            layer.Prepare(slice.Plan, token, row, firstColumn / blockLength, endColumn / blockLength);
        }
    }
}
