namespace Ernie.Kernels;

/// <summary>Every kernel of a model on a device, and how their launches are sized.</summary>
public sealed class KernelPlan
{
    /// <summary>Tokens of a page of the key/value cache.</summary>
    public const int TokensPerPage = 64;

    /// <summary>Batch sizes that have a graph.</summary>
    public static IReadOnlyList<int> Buckets { get; } = [1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256];

    /// <summary>The model.</summary>
    public required DenseModel Model { get; init; }

    /// <summary>The device.</summary>
    public required DeviceProfile Device { get; init; }

    /// <summary>First kernel of a step.</summary>
    public required KernelSpec Embed { get; init; }

    /// <summary>Norm of rows, for steps of more than 8 tokens.</summary>
    public required KernelSpec Normalize { get; init; }

    /// <summary>The norm that leaves quantised rows, or null when no step needs them of it.</summary>
    public KernelSpec? NormalizeFloat8 { get; init; }

    /// <summary>Quantises what attention gives where that does not, for matrices that multiply e4m3, or null when there are none.</summary>
    public KernelSpec? QuantizeAttention { get; init; }

    /// <summary>Quantises activations where gate and up projection do not, or null when they do or nothing needs it.</summary>
    public KernelSpec? QuantizeActivation { get; init; }

    /// <summary>Why the matrices multiply as they do, a sentence each; empty where there was no choice.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Query, key and value projection, rotation, cache write.</summary>
    public required LinearKernels QueryKeyValue { get; init; }

    /// <summary>Attention.</summary>
    public required AttentionKernels Attention { get; init; }

    /// <summary>Output projection and residual sum.</summary>
    public required LinearKernels Output { get; init; }

    /// <summary>Gate and up projections and SwiGLU.</summary>
    public required LinearKernels GateUp { get; init; }

    /// <summary>Down projection and residual sum.</summary>
    public required LinearKernels Down { get; init; }

    /// <summary>Projection to the vocabulary.</summary>
    public required LinearKernels Head { get; init; }

    /// <summary>Prepares a request slot.</summary>
    public required KernelSpec SetSlot { get; init; }

    /// <summary>Copies a page of the cache in all layers.</summary>
    public required KernelSpec CopyPage { get; init; }

    /// <summary>Draws tokens: one kernel with every sampler's device form, so that a mixed batch is one launch.</summary>
    public required KernelSpec Sample { get; init; }

    /// <summary>Tells how probable tokens were, for the rows of a step that want it.</summary>
    public required KernelSpec LogProbabilities { get; init; }

    /// <summary>Decodes one sequence in one launch; null where it does not suit the device or the model.</summary>
    public PersistentKernel? Persistent { get; init; }

    /// <summary>Why there is no <see cref="Persistent"/> although it was asked for; null where there is, or where nobody asked.</summary>
    public string? PersistentObstacle { get; init; }

    /// <summary>All kernels.</summary>
    public IEnumerable<KernelSpec> Kernels =>
    [
        Embed, Normalize, .. Attention.Kernels, CopyPage, SetSlot, Sample, LogProbabilities,
        .. ((KernelSpec?[])[NormalizeFloat8, QuantizeAttention, QuantizeActivation]).OfType<KernelSpec>(),
        // Linears of one format share the kernel that expands it.
        .. Linears.SelectMany(linear => linear.Kernels).Distinct(),
        .. Persistent is { } persistent ? [persistent.Kernel] : Array.Empty<KernelSpec>(),
    ];

    /// <summary>All linears, in the order of a layer, the head last.</summary>
    public IReadOnlyList<LinearKernels> Linears => [QueryKeyValue, Output, GateUp, Down, Head];

    /// <summary>How the matrices of the layers multiply in a step; all of them the same way.</summary>
    /// <param name="tokens">Tokens of the step, more than 8.</param>
    public LinearForm FormFor(int tokens) => QueryKeyValue.TileFor(tokens).Form;

    /// <summary>Whether kernels that write the residual prepare the norm of the next.</summary>
    /// <param name="tokens">Tokens of the step, more than 8.</param>
    public bool PreparesNorms(int tokens) => FormFor(tokens) is LinearForm.Warpgroup or LinearForm.WarpgroupFloat8;

    /// <summary>Blocks that share a row of logits when tokens are drawn. They wait for each other, so all of them must fit on the device at once.</summary>
    /// <param name="rows">Rows of the launch.</param>
    public int SampleBlocks(int rows) => Math.Clamp(Device.Multiprocessors / rows, 1, SamplerKernel.MaxBlocksPerRow);

    /// <summary>Blocks of the kernels that quantise rows: eight threads take 128 values.</summary>
    /// <param name="tokens">Rows.</param>
    /// <param name="width">Values of a row.</param>
    public static int QuantizeBlocks(int tokens, int width) => (int)((((long)tokens * width / 128) + 31) / 32);

    /// <summary>The smallest bucket that holds a batch.</summary>
    /// <param name="rows">Decoding rows, at least 1.</param>
    /// <returns>A member of <see cref="Buckets"/>, or 0 when none is large enough.</returns>
    public static int BucketFor(int rows)
    {
        foreach (int bucket in Buckets)
        {
            if (bucket >= rows)
                return bucket;
        }

        return 0;
    }
}
