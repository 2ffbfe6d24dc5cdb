using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>What a device and a model must be for the persistent kernel.</summary>
internal static class PersistentRequirements
{
    // Tiles of 16 rows and 128 inputs that a warp holds in registers; kMostFragments of ernie/persistent/matrix.cuh.
    private const int MostFragments = 3;
    private const int Unit = 128, TileRows = 16, Warps = PersistentKernel.WorkingWarps;

    /// <summary>The first requirement that is not met, with what was found; or null.</summary>
    /// <param name="run">What was matched.</param>
    /// <param name="device">The device.</param>
    /// <param name="cache">Storage of keys and values.</param>
    /// <param name="shares">How rows would be shared out.</param>
    public static string? FindObstacle(PersistentRun run, DeviceProfile device, KeyValueFormat cache, PersistentShares shares)
    {
        // Bulk copies and clusters came with sm_90; later architectures have not been tried.
        if (device.Architecture.Major != 9)
            return $"{device.Architecture} is not of compute capability 9.0";
        // An 8-bit cache would have to be quantised by whoever writes it.
        if (cache != KeyValueFormat.BFloat16)
            return $"keys and values are kept as {cache}; the kernel reads BFloat16";

        return FindUnsuitableShape(run.Shape, shares) ?? FindFewMultiprocessors(run.Shape, device, shares) ?? FindUnsuitableWeight(run, shares);
    }

    private static string? FindUnsuitableShape(ModelShape shape, PersistentShares shares)
    {
        if (shape.QueryHeads % shares.ClusterHeads != 0 || shape.QueryHeads / shape.KeyValueHeads % shares.ClusterHeads != 0)
            return $"{shape.QueryHeads} query heads of '{shape.Name}' over {shape.KeyValueHeads} key/value heads do not make clusters of {shares.ClusterHeads} heads with the same keys";
        if (shares.OtherBlocks < PersistentShares.ClusterBlocks)
            return $"{shape.QueryHeads} query heads of '{shape.Name}' leave no cluster for keys and values";

        // No block may fall behind the others unnoticed: each has a part of the activations, and those that do not attend one of the residual.
        return shares.Least(2 * shape.IntermediateSize) > 0
            ? null
            : $"{shape.IntermediateSize} intermediate values of '{shape.Name}' are too few for {shares.Blocks} blocks, four for each";
    }

    private static string? FindFewMultiprocessors(ModelShape shape, DeviceProfile device, PersistentShares shares) => device.Multiprocessors >= shares.Blocks
        ? null
        : $"{device.Multiprocessors} multiprocessors do not hold {shares.Blocks} blocks, {shares.Clusters} clusters of {PersistentShares.ClusterBlocks} for '{shape.Name}'";

    private static string? FindUnsuitableWeight(PersistentRun run, PersistentShares shares)
    {
        LinearWeight[] linears = run.Linears;
        foreach (LinearWeight linear in linears[..4])
        {
            if (linear.Encoding != linears[1].Encoding)
                return $"a layer of '{run.Shape.Name}' has weights in {linear.Encoding} and in {linears[1].Encoding}; the kernel reads one format";

            int rows = linear == linears[0] ? shares.MostQueryKeyValueRows : shares.MostRows(linear.OutFeatures);
            if (FindRegisterNeed(rows, linear.InFeatures) is { } need)
                return $"a block has {rows} rows of a layer's weight of {linear.OutFeatures} x {linear.InFeatures}, {need}";
        }

        return FindRegisterNeed(PersistentShares.HeadPieceRows, run.Head.InFeatures) is { } head
            ? $"a block multiplies {PersistentShares.HeadPieceRows} rows of the head with {run.Head.InFeatures} inputs together, {head}"
            : null;
    }

    // See Product of ernie/persistent/matrix.cuh.
    private static string? FindRegisterNeed(int rows, int inputs)
    {
        int units = inputs / Unit, rest = rows > TileRows && rows % TileRows is > 0 and <= TileRows / 2 ? rows % TileRows : 0;
        int fragments = (rows - rest + TileRows - 1) / TileRows * ((units + Warps - 1) / Warps);
        if (fragments > MostFragments)
            return $"for which a warp would hold {fragments} tiles in registers; it has room for {MostFragments}";

        return rest > 0 && units > 2 * Warps ? $"of which the last {rest} have more than {2 * Warps * Unit} inputs" : null;
    }
}
