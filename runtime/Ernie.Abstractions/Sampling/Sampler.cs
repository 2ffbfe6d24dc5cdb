using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ernie.Text;

namespace Ernie.Sampling;

/// <summary>Base of samplers whose parameters are one unmanaged struct.</summary>
/// <typeparam name="TParameters">The parameter block; the device form reads the same bytes.</typeparam>
public abstract class Sampler<TParameters> : ISampler
    where TParameters : unmanaged
{
    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public int ParameterBytes => Unsafe.SizeOf<TParameters>();

    /// <inheritdoc/>
    public virtual SamplerNeeds Needs => SamplerNeeds.None;

    /// <inheritdoc/>
    public virtual int ScratchBytes => 0;

    /// <inheritdoc/>
    public virtual DeviceSnippet? Device => null;

    /// <summary>Turns a request's options into the parameter block.</summary>
    /// <param name="options">The request's validated options.</param>
    protected abstract TParameters CreateParameters(SamplingOptions options);

    /// <summary>Turns a request's options into the parameter block, for samplers that turn texts of the request into tokens.</summary>
    /// <param name="options">The request's validated options.</param>
    /// <param name="tokenizer">The model's tokenizer; null when the engine has none.</param>
    protected virtual TParameters CreateParameters(SamplingOptions options, ITokenizer? tokenizer) => CreateParameters(options);

    /// <summary>Draws a token.</summary>
    /// <param name="row">What the draw may see.</param>
    /// <param name="parameters">The request's parameters.</param>
    protected abstract int Sample(ref SamplingRow row, in TParameters parameters);

    /// <inheritdoc/>
    public void WriteParameters(SamplingOptions options, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(options);
        MemoryMarshal.Write(destination, CreateParameters(options));
    }

    /// <inheritdoc/>
    public void WriteParameters(SamplingOptions options, ITokenizer? tokenizer, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(options);
        MemoryMarshal.Write(destination, CreateParameters(options, tokenizer));
    }

    /// <inheritdoc/>
    public int Sample(ref SamplingRow row) =>
        Sample(ref row, in MemoryMarshal.AsRef<TParameters>(row.Parameters));
}
