namespace Ernie.Kernels;

/// <summary>How many blocks a launch has in a step.</summary>
public abstract record GridRule
{
    /// <summary>A block per token or row.</summary>
    public static GridRule PerRow { get; } = new RowGrid();

    /// <summary>Always the same blocks.</summary>
    /// <param name="blocks">How many.</param>
    public static GridRule Fixed(int blocks) => new FixedGrid(blocks);

    /// <summary>So many blocks as fit on the device at once, and at most those that there is work for.</summary>
    /// <param name="blocks">Blocks that there is work for.</param>
    public static GridRule Resident(int blocks) => new ResidentGrid(blocks);

    /// <summary>Blocks along the outputs by tiles of rows.</summary>
    /// <param name="outputBlocks">Blocks along the outputs.</param>
    /// <param name="tileRows">Rows of a tile.</param>
    public static GridRule PerTile(int outputBlocks, int tileRows) => new TileGrid(outputBlocks, tileRows);

    /// <summary>Tiles in one line, and at most some blocks, which then take one after another.</summary>
    /// <param name="outputBlocks">Blocks along the outputs.</param>
    /// <param name="tileRows">Rows of a tile.</param>
    /// <param name="most">Most blocks.</param>
    public static GridRule InLine(int outputBlocks, int tileRows, int most = int.MaxValue) => new LineGrid(outputBlocks, tileRows, most);

    /// <summary>Eight threads for each 128 values of all rows.</summary>
    /// <param name="width">Values of a row.</param>
    public static GridRule PerGroupOf128(int width) => new GroupGrid(width);

    /// <summary>Clusters that share a row and head, as many as the device holds.</summary>
    /// <param name="clusterBlocks">Blocks of a cluster.</param>
    /// <param name="heads">Key/value heads.</param>
    /// <param name="mostClusters">Clusters for a row and head at most.</param>
    /// <param name="multiprocessors">Multiprocessors of the device.</param>
    public static GridRule PerDecodeRow(int clusterBlocks, int heads, int mostClusters, int multiprocessors) =>
        new ClusterGrid(clusterBlocks, heads, mostClusters, multiprocessors);

    /// <summary>A block per head and tile of rows of several tokens.</summary>
    /// <param name="heads">Key/value heads.</param>
    public static GridRule PerPrefillTile(int heads) => new PrefillGrid(heads);

    /// <summary>The blocks of a step.</summary>
    /// <param name="counts">The step.</param>
    public abstract LaunchGrid For(in StepCounts counts);

    /// <summary>The rule once it is known how many blocks fit on the device at once.</summary>
    /// <param name="residentBlocks">Blocks of this kernel that fit.</param>
    public virtual GridRule OnDevice(int residentBlocks) => this;

    /// <summary>Whether <see cref="OnDevice"/> matters.</summary>
    public virtual bool NeedsDevice => false;

    private static int Tiles(int rows, int tileRows) => (rows + tileRows - 1) / tileRows;

    private sealed record FixedGrid(int Blocks) : GridRule
    {
        public override LaunchGrid For(in StepCounts counts) => new(Blocks);

        public override string ToString() => $"{Blocks}";
    }

    private sealed record ResidentGrid(int Blocks) : GridRule
    {
        public override bool NeedsDevice => true;

        public override LaunchGrid For(in StepCounts counts) => new(Blocks);

        public override GridRule OnDevice(int residentBlocks) => new FixedGrid(Math.Min(Blocks, residentBlocks));

        public override string ToString() => $"{Blocks} or as many as fit";
    }

    private sealed record RowGrid : GridRule
    {
        public override LaunchGrid For(in StepCounts counts) => new(counts.Rows);

        public override string ToString() => "rows";
    }

    private sealed record TileGrid(int OutputBlocks, int TileRows) : GridRule
    {
        public override LaunchGrid For(in StepCounts counts) => new(OutputBlocks, Tiles(counts.Rows, TileRows));

        public override string ToString() => $"{OutputBlocks} x rows/{TileRows}";
    }

    private sealed record LineGrid(int OutputBlocks, int TileRows, int Most) : GridRule
    {
        public override LaunchGrid For(in StepCounts counts) => new(Math.Min(OutputBlocks * Tiles(counts.Rows, TileRows), Most));

        public override string ToString() => $"{OutputBlocks} * rows/{TileRows}{(Most == int.MaxValue ? "" : $" up to {Most}")}";
    }

    private sealed record GroupGrid(int Width) : GridRule
    {
        public override LaunchGrid For(in StepCounts counts) => new(KernelPlan.QuantizeBlocks(counts.Rows, Width));

        public override string ToString() => $"rows*{Width}/4096";
    }

    private sealed record ClusterGrid(int ClusterBlocks, int Heads, int MostClusters, int Multiprocessors) : GridRule
    {
        public override LaunchGrid For(in StepCounts counts) => new(
            ClusterBlocks * Math.Clamp(Multiprocessors / (counts.DecodeRows * Heads * ClusterBlocks), 1, MostClusters), Heads, counts.DecodeRows);

        public override string ToString() => $"clusters of {ClusterBlocks} x {Heads} x decoding rows";
    }

    private sealed record PrefillGrid(int Heads) : GridRule
    {
        public override LaunchGrid For(in StepCounts counts) => new(counts.PrefillTiles, Heads);

        public override string ToString() => $"tiles x {Heads}";
    }
}
