using System.Globalization;

namespace Ernie.Kernels;

/// <summary>A real GPU architecture that kernels are compiled for, and what the plan needs to know of it.</summary>
/// <param name="Name">As the compiler knows it: sm_80, sm_90a.</param>
/// <param name="Major">Compute capability, major.</param>
/// <param name="Minor">Compute capability, minor.</param>
/// <param name="SharedMemoryPerBlock">Bytes of shared memory a block may opt in to.</param>
/// <param name="HasDependentLaunch">Whether a kernel may start before the one ahead of it in the stream has ended.</param>
public sealed record GpuArchitecture(string Name, int Major, int Minor, int SharedMemoryPerBlock, bool HasDependentLaunch)
{
    // CUDA C++ Programming Guide, "Technical Specifications per Compute Capability".
    private const int SharedMemoryOfConsumerCards = 99 * 1024;
    private const int SharedMemoryOfA100 = 163 * 1024;
    private const int SharedMemoryOfHopper = 227 * 1024;

    /// <summary>Whether there are warpgroup products; the instructions of 9.0 are not those of its successors.</summary>
    public bool HasWarpgroupProducts => Major == 9;

    /// <summary>Whether the tensor cores multiply e4m3.</summary>
    public bool HasFloat8Products => (Major, Minor) is (8, 9) or ( >= 9, _);

    /// <summary>The architectures that are tested: A100, other Ampere, Ada, Hopper.</summary>
    public static IReadOnlyList<GpuArchitecture> Tested { get; } =
        [FromCapability(8, 0), FromCapability(8, 6), FromCapability(8, 9), FromCapability(9, 0)];

    /// <summary>The architecture of a device.</summary>
    /// <param name="major">Compute capability, major; at least 8.</param>
    /// <param name="minor">Compute capability, minor.</param>
    /// <exception cref="ArgumentOutOfRangeException">Older than Ampere: no bf16 tensor cores, no asynchronous copies.</exception>
    public static GpuArchitecture FromCapability(int major, int minor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(major, 8);
        bool hasDataCenterMemory = major is 9 or 10;
        // From 9.0 on, the suffix a opens the architecture's own instructions; consumer Blackwell (12.x) is compiled plainly.
        string name = string.Create(CultureInfo.InvariantCulture, $"sm_{major}{minor}{(hasDataCenterMemory ? "a" : "")}");
        int sharedMemory = hasDataCenterMemory ? SharedMemoryOfHopper : (major, minor) is (8, 0) or (8, 7) ? SharedMemoryOfA100 : SharedMemoryOfConsumerCards;
        return new GpuArchitecture(name, major, minor, sharedMemory, HasDependentLaunch: major >= 9);
    }

    /// <summary>Finds a tested architecture by its name.</summary>
    /// <param name="name">sm_80, sm_86, sm_89, sm_90a; sm_90 is taken as sm_90a.</param>
    /// <exception cref="ArgumentException">No such architecture.</exception>
    public static GpuArchitecture Parse(string name) =>
        Tested.FirstOrDefault(architecture => architecture.Name == name || architecture.Name == name + "a")
        ?? throw new ArgumentException($"'{name}' is not one of {string.Join(", ", Tested.Select(architecture => architecture.Name))}.", nameof(name));

    /// <inheritdoc/>
    public override string ToString() => Name;
}
