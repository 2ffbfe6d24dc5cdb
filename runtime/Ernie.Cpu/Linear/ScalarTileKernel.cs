using System.Runtime.CompilerServices;
namespace Ernie.Cpu.Linear;

/// <summary>The definition that the other kernels are tested against.</summary>
internal sealed unsafe class ScalarTileKernel : ManagedTileKernel
{
    internal override string Name => "scalar";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void SumBytes(byte* weights, sbyte* activations, int tokens, int quads, int* sums)
    {
        new Span<int>(sums, tokens * PanelRows).Clear();
        for (int quad = 0; quad < quads; quad++)
            for (int token = 0; token < tokens; token++)
                for (int i = 0; i < PanelRows * 4; i++)
                    sums[(token * PanelRows) + (i / 4)] += weights[(quad * PanelRows * 4) + i] * activations[(((quad * tokens) + token) * 4) + (i % 4)];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void SumNibbles(byte* weights, sbyte* activations, int tokens, int quads, int* sums)
    {
        new Span<int>(sums, tokens * PanelRows).Clear();
        for (int quad = 0; quad < quads; quad++)
        {
            for (int token = 0; token < tokens; token++)
            {
                for (int i = 0; i < PanelRows * 4; i++)
                {
                    int pair = weights[(quad / 2 * PanelRows * 4) + i];
                    int weight = quad % 2 == 0 ? pair & 15 : pair >> 4;
                    sums[(token * PanelRows) + (i / 4)] += weight * activations[(((quad * tokens) + token) * 4) + (i % 4)];
                }
            }
        }
    }
}
