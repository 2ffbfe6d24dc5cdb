using Ernie.Cuda.Compilation;
using Ernie.Graph;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>Queues the kernels of linears with the arguments that each form takes.</summary>
internal sealed class LinearLauncher(KernelPlan plan, KernelLibrary kernels, DeviceBuffers buffers, StepLayout layout, nint stream, bool overlaps)
{
    private readonly Dictionary<(ulong Address, int Columns, int BoxRows), TensorMap> _inputMaps = [];

    /// <summary>Queues a matrix of 1 to 8 tokens, whose inputs are normalised where a gain is given.</summary>
    public void Decode(DeviceLinear linear, ulong input, ulong gain, ulong inputRows, int capacity, ulong count, in EpilogueArguments epilogue, int mostBlocks)
    {
        LinearDecodeArguments arguments = new()
        {
            Weight = linear.Weight,
            Scales = linear.Scales,
            Input = input,
            Gain = gain,
            InputRows = inputRows,
            TokenCount = count,
            TokenCapacity = capacity,
            Epilogue = epilogue,
        };
        kernels[linear.Kernels.Decode].Launch(stream, Math.Min(linear.Kernels.DecodeTiles, mostBlocks), 1, 1, arguments, overlaps);
    }

    /// <summary>Queues a matrix of more tokens; one that writes the residual prepares the norm whose gain is given.</summary>
    public void Tile(DeviceLinear linear, int tokens, ulong input, ulong count, in EpilogueArguments epilogue, ulong nextNorm = 0, int sizedFor = 0)
    {
        LinearTile tile = linear.Kernels.TileFor(sizedFor > 0 ? sizedFor : tokens);
        int tiles = linear.Kernels.Weight.OutFeatures / tile.Outputs * tile.Split, tokenTiles = tile.TokenTiles(tokens);
        if (tile.ReadsCodes)
        {
            LaunchFloat8(linear, tile, tokens, input == buffers.Normalized ? buffers.NormalizedCodes : buffers.WideCodes, epilogue, nextNorm);
            return;
        }

        if (tile.ReadsPlainRows)
        {
            kernels[tile.Kernel].Launch(
                stream, tiles, tokenTiles, 1,
                new LinearWgmmaArguments
                {
                    Weight = linear.PlainWeight,
                    Input = InputMap(input, linear.Kernels.Weight.InFeatures, tile.Tokens),
                    Scales = linear.Scales,
                    TokenCount = count,
                    Squares = buffers.Squares,
                    Gain = nextNorm,
                    Prepared = buffers.Normalized,
                    NewSquares = buffers.Squares,
                    SquareStride = buffers.SquareStride,
                    Epilogue = epilogue,
                },
                overlaps);
            return;
        }

        LinearTileArguments arguments = new()
        {
            Weight = linear.Weight,
            Scales = linear.Scales,
            Input = input,
            TokenCount = count,
            Epilogue = epilogue,
        };
        kernels[tile.Kernel].Launch(stream, tiles, tokenTiles, 1, arguments, overlaps);
    }

    private void LaunchFloat8(DeviceLinear linear, LinearTile tile, int tokens, in QuantizedRows input, in EpilogueArguments epilogue, ulong nextNorm)
    {
        LinearWeight weight = linear.Kernels.Weight;
        if (tile.Form == LinearForm.Float8)
        {
            kernels[tile.Kernel].Launch(
                stream, weight.OutFeatures / tile.Outputs, tile.TokenTiles(tokens), 1,
                new LinearTileFloat8Arguments
                {
                    Weight = linear.Weight, Scales = linear.Scales, Input = input, TokenCount = buffers.TokenCount, Epilogue = epilogue,
                },
                overlaps);
            return;
        }

        // Who writes the residual prepares the next norm; gate and up projection leave activations.
        kernels[tile.Kernel].Launch(
            stream, tile.Blocks(weight, tokens, plan.Device.Multiprocessors), 1, 1,
            new LinearFloat8Arguments
            {
                Weight = linear.PackedWeight,
                Input = InputMap(input.Codes, weight.InFeatures, tile.Tokens, isBytes: true),
                Scales = linear.Scales,
                InputFactors = input.Factors,
                TokenCount = buffers.TokenCount,
                Squares = buffers.Squares,
                Gain = nextNorm,
                NewSquares = buffers.Squares,
                Quantized = epilogue.Output != 0 ? buffers.NormalizedCodes : buffers.WideCodes,
                TokenTiles = tile.TokenTiles(tokens),
                Epilogue = epilogue,
            },
            overlaps);
    }

    // A handful of buffers and tile sizes: each is described once.
    private TensorMap InputMap(ulong address, int columns, int boxRows, bool isBytes = false)
    {
        if (!_inputMaps.TryGetValue((address, columns, boxRows), out TensorMap map))
        {
            int rows = Math.Max(layout.TokenCapacity, layout.RowCapacity);
            map = isBytes ? TensorMap.OfBytes(address, rows, columns, boxRows) : TensorMap.Of(address, rows, columns, boxRows);
            _inputMaps.Add((address, columns, boxRows), map);
        }

        return map;
    }
}
