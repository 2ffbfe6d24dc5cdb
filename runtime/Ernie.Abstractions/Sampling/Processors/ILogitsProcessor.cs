namespace Ernie.Sampling;

/// <summary>
/// Changes a row of logits before a sampler draws from it. Stateless: all it knows of a request is in the request's state block, which is
/// written once. The CPU form is mandatory and is the oracle of the device form.
/// </summary>
public interface ILogitsProcessor
{
    /// <summary>Name in messages; lower-case words joined with '-'.</summary>
    string Name { get; }

    /// <summary>Size of a request's state block on the device, in bytes: a multiple of 16, at most <see cref="ProcessorLimits.MaxStateBytes"/>.</summary>
    int DeviceStateBytes { get; }

    /// <summary>What the runtime must keep for requests that use it: token counts, or the last tokens on the device.</summary>
    SamplerNeeds Needs => SamplerNeeds.None;

    /// <summary>Writes a request's state; called once per request, on the caller's thread.</summary>
    /// <param name="request">What is asked for.</param>
    /// <returns>The state block, as long as it needs to be; empty where the request does not use the processor.</returns>
    /// <exception cref="ArgumentException">A value that this processor cannot take; becomes a 400 for the request.</exception>
    byte[] CreateState(in ProcessorRequest request);

    /// <summary>Whether the device form can do with a state block. Where it cannot, the request is drawn on the host.</summary>
    /// <param name="state">A block of <see cref="CreateState"/>.</param>
    bool FitsDevice(ReadOnlySpan<byte> state) => state.Length <= DeviceStateBytes;

    /// <summary>Changes a row. Allocates nothing.</summary>
    /// <param name="row">The row and what is known of its sequence.</param>
    /// <param name="state">The request's state block, which is not empty.</param>
    void Process(ref LogitsRow row, ReadOnlySpan<byte> state);

    /// <summary>The CUDA form (kernels-templates/ernie/sampling/processors.cuh), or null: then requests that use it are drawn on the host.</summary>
    DeviceSnippet? Device { get; }
}
