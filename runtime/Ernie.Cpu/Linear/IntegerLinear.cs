using Ernie.Cpu.Memory;

namespace Ernie.Cpu.Linear;

/// <summary>Integer weights times integer activations.</summary>
internal sealed unsafe class IntegerLinear : LinearLayer
{
    // Nibbles are widened once per panel when more tiles than this share the result.
    private const int TilesWorthUnpacking = 2;

    // Small, so that workers finish a matrix together: the next one waits for both. Taking a unit costs a few nanoseconds, reading it half a microsecond.
    private const long UnitBytes = 16 << 10;

    private readonly PackedMatrix _matrix;
    private readonly TileKernel _kernel;
    private readonly QuantizedActivations _activations;
    private readonly NativeBuffer<byte>[] _unpacked;
    private readonly int _panelsPerUnit;

    /// <param name="matrix">Weights; the caller keeps them alive.</param>
    /// <param name="kernel">Kernels.</param>
    /// <param name="activations">Where prepared activations lie; shared between layers that run one after the other.</param>
    /// <param name="unpacked">Per worker, room for two panels of bytes; shared in the same way.</param>
    internal IntegerLinear(PackedMatrix matrix, TileKernel kernel, QuantizedActivations activations, NativeBuffer<byte>[] unpacked)
    {
        _matrix = matrix;
        _kernel = kernel;
        _activations = activations;
        _unpacked = unpacked;

        // Even, so that kernels which take two panels side by side have no rest.
        _panelsPerUnit = (int)Math.Max(2, (UnitBytes / matrix.PanelBytes) & ~1);
    }

    internal override int Rows => _matrix.Rows;

    internal override int Columns => _matrix.Columns;

    internal override long ByteLength => _matrix.ByteLength;

    internal override int BlockCount => _matrix.BlockCount;

    /// <summary>Bytes of scratch that a worker needs for a matrix of these columns.</summary>
    internal static long UnpackedBytes(int columns) => 2L * ManagedTileKernel.PanelRows * columns;

    internal override void Prepare(TilePlan plan, int token, float* row, int firstBlock, int endBlock) =>
        _activations.Quantize(_matrix, plan, token, row, firstBlock, endBlock);

    internal override int UnitCount(int tokens) => (_matrix.PanelCount + _panelsPerUnit - 1) / _panelsPerUnit;

    internal override void Execute(int worker, int firstUnit, int endUnit, in LinearRun run)
    {
        int first = firstUnit * _panelsPerUnit;
        int end = Math.Min(endUnit * _panelsPerUnit, _matrix.PanelCount);
        var plan = new TilePlan(run.Tokens);
        if (plan.Count == 1)
        {
            RunPanels(plan, 0, first, end, run, _matrix.Panel(first), _matrix.PanelBytes, _matrix.Bits);
            return;
        }

        bool unpack = _matrix.Bits == 4 && plan.Count > TilesWorthUnpacking;
        long bytePanel = (long)ManagedTileKernel.PanelRows * _matrix.Columns;
        for (int panel = first; panel < end; panel += 2)
        {
            int panelEnd = Math.Min(panel + 2, end);
            byte* weights = _matrix.Panel(panel);
            if (unpack)
            {
                weights = _unpacked[worker].Pointer;
                for (int i = panel; i < panelEnd; i++)
                    _matrix.Unpack(i, weights + ((i - panel) * bytePanel));
            }

            for (int tile = 0; tile < plan.Count; tile++)
                RunPanels(plan, tile, panel, panelEnd, run, weights, unpack ? bytePanel : _matrix.PanelBytes, unpack ? 8 : _matrix.Bits);
        }
    }

    private void RunPanels(TilePlan plan, int tile, int first, int end, in LinearRun run, byte* weights, long weightStride, int bits)
    {
        int firstToken = plan.Start(tile);
        int tokens = plan.Size(tile);
        var arguments = new TileArguments
        {
            Weights = weights,
            Scales = _matrix.PanelScales(first),
            Activations = _activations.Values(firstToken, _matrix.Columns),
            Blocks = _activations.Blocks(firstToken, _matrix.BlockCount),
            Output = run.Output + ((long)firstToken * run.OutputStride) + (first * ManagedTileKernel.PanelRows),
            OutputStride = (long)run.OutputStride * sizeof(float),
            WeightStride = weightStride,
            ScaleStride = _matrix.PanelScaleBytes,
            BlockCount = _matrix.BlockCount,
            StepsPerBlock = _matrix.BlockLength / 16,
        };

        // Weights that are read once come from memory, and one long run of addresses comes twice as fast as two short ones side by side. Where further
        // tiles find them in cache, two panels share the loads of activations.
        int sideBySide = plan.Count == 1 ? 1 : TilePlan.PanelsFor(tokens);
        int groups = (end - first) / sideBySide;
        if (groups > 0)
        {
            arguments.PanelGroups = groups;
            _kernel.Run(&arguments, new TileShape(tokens, sideBySide, bits, _matrix.ScalePerBlock));
        }

        if (groups * sideBySide == end - first)
            return;
        int rest = groups * sideBySide;
        arguments.Weights += rest * weightStride;
        arguments.Scales = _matrix.PanelScales(first + rest);
        arguments.Output += rest * ManagedTileKernel.PanelRows;
        arguments.PanelGroups = 1;
        _kernel.Run(&arguments, new TileShape(tokens, 1, bits, _matrix.ScalePerBlock));
    }
}
