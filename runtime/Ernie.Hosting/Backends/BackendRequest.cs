using Ernie.Graph;
using Ernie.Hosting.Options;
using Ernie.Hosting.Plugins;
using Ernie.Sampling;
using Ernie.Weights;

namespace Ernie.Hosting.Backends;

/// <summary>What a backend makes an executor of.</summary>
public sealed record BackendRequest
{
    /// <summary>The model after the shared passes, its weights' encodings assigned.</summary>
    public required ModelGraph Graph { get; init; }

    /// <summary>The weights; live as long as the executor.</summary>
    public required Checkpoint Checkpoint { get; init; }

    /// <summary>What the checkpoint's config says about its layout; null to judge by shapes and names.</summary>
    public CheckpointLayout? Layout { get; init; }

    /// <summary>Precisions, of which the graph has the weights' already.</summary>
    public required QuantizationOptions Quantization { get; init; }

    /// <summary>Capacity and device options.</summary>
    public required OptionSet Options { get; init; }

    /// <summary>Samplers that requests may choose; those with a device form may be compiled into the device's steps.</summary>
    public IReadOnlyList<ISampler> Samplers { get; init; } = [];

    /// <summary>Told how long each part of loading took, by backends that know.</summary>
    public Action<string, TimeSpan>? Phase { get; init; }

    /// <summary>Told, a sentence at a time, how the device computes where there was a choice, and of what it could do and does not, and why.</summary>
    public Action<string>? Notice { get; init; }

    /// <summary>Told of samplers whose device form does not compile, before the device is made ready without them.</summary>
    public Action<IReadOnlyList<(ISampler Sampler, PluginDiagnostic Diagnostic)>>? RefuseSamplers { get; init; }
}
