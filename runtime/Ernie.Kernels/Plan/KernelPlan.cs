using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Every kernel of a model on a device, and the launches of its steps.</summary>
public sealed class KernelPlan
{
    /// <summary>Tokens of a page of the key/value cache.</summary>
    public const int TokensPerPage = 64;

    internal KernelPlan(LoweredGraph lowered)
    {
        Lowered = lowered;
        // The runner has run all passes.
        Selection = lowered.Selection!;
        Program = lowered.Program!;
        CopyPage = KernelSpec.Simple("copy_page", "attention/copy_page", "copy_page", "CopyPageArgs", 256);
        SetSlot = KernelSpec.Simple("set_slot", "sampling/set_slot", "set_slot", "SetSlotArgs", 1024, KernelConstant.Of("kVocabulary", Shape.VocabularySize));
        LogProbabilities = LogProbabilityKernel.Create(Shape.VocabularySize);
    }

    /// <summary>Batch sizes that have a graph.</summary>
    public static IReadOnlyList<int> Buckets { get; } = [1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256];

    /// <summary>The graph with what was folded into its operations.</summary>
    public LoweredGraph Lowered { get; }

    /// <summary>The model's numbers.</summary>
    public ModelShape Shape => Lowered.Graph.Shape;

    /// <summary>The device.</summary>
    public DeviceProfile Device => Lowered.Target.Device;

    /// <summary>The kernels that were chosen, and from what.</summary>
    public KernelSelection Selection { get; }

    /// <summary>The launches of a step.</summary>
    public KernelProgram Program { get; }

    /// <summary>First kernel of a step.</summary>
    public KernelSpec Embed => Selection.Embed;

    /// <summary>Norm of rows.</summary>
    public KernelSpec Normalize => Selection.Normalize;

    /// <summary>Why the matrices multiply as they do, a sentence each; empty where there was no choice.</summary>
    public IReadOnlyList<string> Notes => Selection.Notes;

    /// <summary>Attention.</summary>
    public AttentionKernels Attention => Selection.Attention;

    /// <summary>Prepares a request slot.</summary>
    public KernelSpec SetSlot { get; }

    /// <summary>Copies a page of the cache in all layers.</summary>
    public KernelSpec CopyPage { get; }

    /// <summary>Draws tokens: one kernel with every sampler's device form, so that a mixed batch is one launch.</summary>
    public KernelSpec Sample => Program.Sample.Kernel;

    /// <summary>Tells how probable tokens were, for the rows of a step that want it.</summary>
    public KernelSpec LogProbabilities { get; }

    /// <summary>Decodes one sequence in one launch; null where it does not suit the device or the model.</summary>
    public PersistentKernel? Persistent => Selection.Persistent;

    /// <summary>Why there is no <see cref="Persistent"/> although it was asked for; null where there is, or where nobody asked.</summary>
    public string? PersistentObstacle => Selection.PersistentObstacle;

    /// <summary>All kernels.</summary>
    public IEnumerable<KernelSpec> Kernels =>
    [
        Embed, Normalize, .. Attention.Kernels, CopyPage, SetSlot, Sample, LogProbabilities,
        .. ((KernelSpec?[])[Selection.NormalizeFloat8, Selection.QuantizeAttention, .. Selection.QuantizeActivation.Values]).OfType<KernelSpec>(),
        // Linears of one format share the kernel that expands it.
        .. Linears.SelectMany(linear => linear.Kernels).Distinct(),
        .. Persistent is { } persistent ? [persistent.Kernel] : Array.Empty<KernelSpec>(),
    ];

    /// <summary>All kinds of linears, in the order of their first use.</summary>
    public IReadOnlyList<LinearKernels> Linears => Selection.Linears;

    /// <summary>The head's kernels.</summary>
    public LinearKernels Head => Linear("head");

    /// <summary>The kernels of the first linear of a name.</summary>
    /// <param name="name">qkv, o, gate_up, down or head.</param>
    public LinearKernels Linear(string name) => Linears.First(linear => linear.Name == name);

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
