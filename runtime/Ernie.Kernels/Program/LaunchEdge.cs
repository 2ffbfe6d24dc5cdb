namespace Ernie.Kernels;

/// <summary>How a launch begins.</summary>
public enum LaunchEdge
{
    /// <summary>When all before it has ended.</summary>
    Plain,

    /// <summary>When the launch before it allows, and waits for its end by itself: programmatic dependent launch, where the device has it.</summary>
    Dependent,
}
