namespace Ernie.Kernels;

/// <summary>Blocks of a launch.</summary>
/// <param name="X">Blocks along x, a multiple of the cluster's.</param>
/// <param name="Y">Blocks along y.</param>
/// <param name="Z">Blocks along z.</param>
public readonly record struct LaunchGrid(int X, int Y = 1, int Z = 1)
{
    /// <summary>All of them.</summary>
    public int Blocks => X * Y * Z;
}
