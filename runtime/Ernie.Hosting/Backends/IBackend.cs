using Ernie.Execution;
using Ernie.Hosting.Options;

namespace Ernie.Hosting.Backends;

/// <summary>A kind of device that can run a model. <see cref="BackendList"/> names them all.</summary>
public interface IBackend
{
    /// <summary>The value of <c>--device</c> that asks for it.</summary>
    string Name { get; }

    /// <summary>Says why it cannot be used on this machine; null when it can.</summary>
    string? FindObstacle();

    /// <summary>Loads the model.</summary>
    /// <param name="request">The model and what is asked of it.</param>
    /// <returns>The executor; the caller disposes it.</returns>
    /// <exception cref="DeviceUnavailableException">The device cannot run this model here.</exception>
    /// <exception cref="OptionException">What is asked is not possible on this device; the message says what is.</exception>
    IExecutor Create(BackendRequest request);
}
