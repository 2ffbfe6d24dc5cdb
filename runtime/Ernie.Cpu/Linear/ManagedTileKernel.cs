using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ernie.Cpu.Linear;

/// <summary>The part that kernels written in C# share: corrections, scales and output; how a block's integer sums are made is up to them.</summary>
internal abstract unsafe class ManagedTileKernel : TileKernel
{
    /// <summary>Rows of a panel.</summary>
    internal const int PanelRows = 16;

    internal sealed override void Run(TileArguments* arguments, TileShape shape)
    {
        int* sums = stackalloc int[TilePlan.MaxTokens * PanelRows];
        float* totals = stackalloc float[TilePlan.MaxTokens * PanelRows];
        int panels = (int)arguments->PanelGroups * shape.Panels;
        for (int panel = 0; panel < panels; panel++)
        {
            new Span<float>(totals, shape.Tokens * PanelRows).Clear();
            byte* weights = arguments->Weights + (panel * arguments->WeightStride);
            byte* scales = (byte*)arguments->Scales + (panel * arguments->ScaleStride);
            RunPanel(arguments, shape, weights, scales, sums, totals);
            StorePanel(arguments, shape, scales, totals, arguments->Output + (panel * PanelRows));
        }
    }

    /// <summary>Σ weight × activation over a block, weights unsigned, without the correction.</summary>
    /// <param name="weights">One panel's block of bytes.</param>
    /// <param name="activations">[quad, token, 4].</param>
    /// <param name="tokens">Tokens of the tile.</param>
    /// <param name="quads">Quads of the block, a multiple of 4.</param>
    /// <param name="sums">[token, row 16]; overwritten.</param>
    protected abstract void SumBytes(byte* weights, sbyte* activations, int tokens, int quads, int* sums);

    /// <summary>The same for nibbles.</summary>
    protected abstract void SumNibbles(byte* weights, sbyte* activations, int tokens, int quads, int* sums);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunPanel(TileArguments* arguments, TileShape shape, byte* weights, byte* scales, int* sums, float* totals)
    {
        int quads = (int)arguments->StepsPerBlock * 4;
        int blockBytes = quads * PanelRows * 4 * shape.Bits / 8;
        for (int block = 0; block < arguments->BlockCount; block++)
        {
            sbyte* activations = arguments->Activations + ((long)block * quads * shape.Tokens * 4);
            byte* blockWeights = weights + ((long)block * blockBytes);
            if (shape.Bits == 8)
                SumBytes(blockWeights, activations, shape.Tokens, quads, sums);
            else
                SumNibbles(blockWeights, activations, shape.Tokens, quads, sums);
            int* corrections = (int*)arguments->Blocks + (block * 2 * shape.Tokens);
            float* activationScales = (float*)(corrections + shape.Tokens);
            Half* weightScales = (Half*)scales + (block * PanelRows);
            for (int token = 0; token < shape.Tokens; token++)
            {
                for (int row = 0; row < PanelRows; row++)
                {
                    float sum = sums[(token * PanelRows) + row] + corrections[token];
                    float scale = shape.ScalePerBlock ? (float)weightScales[row] * activationScales[token] : activationScales[token];
                    float* total = totals + (token * PanelRows) + row;
                    *total = MathF.FusedMultiplyAdd(sum, scale, *total);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StorePanel(TileArguments* arguments, TileShape shape, byte* scales, float* totals, float* output)
    {
        for (int token = 0; token < shape.Tokens; token++)
        {
            float* target = (float*)((byte*)output + (token * arguments->OutputStride));
            Vector512<float> total = Vector512.Load(totals + (token * PanelRows));
            if (!shape.ScalePerBlock)
                total *= Vector512.Load((float*)scales);
            total.Store(target);
        }
    }
}
