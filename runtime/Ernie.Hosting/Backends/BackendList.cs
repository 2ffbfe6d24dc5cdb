using Ernie.Execution;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;

namespace Ernie.Hosting.Backends;

/// <summary>The backends, best first, and the choice among them.</summary>
public static class BackendList
{
    /// <summary>Every backend; <c>--device auto</c> takes the first without an obstacle.</summary>
    public static IReadOnlyList<IBackend> All { get; } = [new CudaBackend(), new CpuBackend()];

    /// <summary>Loads a model on the device asked for, or on the first that works.</summary>
    /// <param name="backends">Backends, best first.</param>
    /// <param name="request">The model; its options name the device.</param>
    /// <param name="skipped">Receives one line per better backend that cannot be used, saying why.</param>
    /// <exception cref="OptionException">The device asked for cannot be used, or not with these options.</exception>
    public static IExecutor Load(IReadOnlyList<IBackend> backends, BackendRequest request, Action<string>? skipped = null)
    {
        ArgumentNullException.ThrowIfNull(request);
        string device = request.Options.Get(DeviceRows.Device);
        IBackend backend = Choose(backends, device, skipped);
        try
        {
            return backend.Create(request);
        }
        catch (DeviceUnavailableException e) when (device != "auto" || backend == backends[^1])
        {
            throw new OptionException($"--device {device} cannot be used: {e.Message}", e);
        }
        catch (DeviceUnavailableException e)
        {
            skipped?.Invoke($"{backend.Name} is not used: {e.Message}");
            return Load([.. backends.SkipWhile(b => b != backend).Skip(1)], request, skipped);
        }
    }

    /// <summary>Chooses a backend.</summary>
    /// <param name="backends">Backends, best first.</param>
    /// <param name="device">auto, or a backend's name.</param>
    /// <param name="skipped">Receives one line per better backend that cannot be used, saying why.</param>
    /// <exception cref="OptionException">The backend asked for cannot be used.</exception>
    public static IBackend Choose(IReadOnlyList<IBackend> backends, string device, Action<string>? skipped = null)
    {
        ArgumentNullException.ThrowIfNull(backends);
        ArgumentNullException.ThrowIfNull(device);
        if (device != "auto")
        {
            IBackend wanted = backends.FirstOrDefault(backend => backend.Name == device)
                ?? throw new OptionException($"--device {device} is not available in this build; there is: {string.Join(", ", backends.Select(b => b.Name))}.");
            return wanted.FindObstacle() is { } obstacle
                ? throw new OptionException($"--device {device} cannot be used: {obstacle} --device auto takes what works.")
                : wanted;
        }

        foreach (IBackend backend in backends)
        {
            if (backend.FindObstacle() is not { } obstacle)
            {
                return backend;
            }

            skipped?.Invoke($"{backend.Name} is not used: {obstacle}");
        }

        throw new OptionException("No device can run the model.");
    }
}
