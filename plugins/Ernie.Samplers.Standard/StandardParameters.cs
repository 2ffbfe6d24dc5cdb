using System.Runtime.InteropServices;

namespace Ernie.Samplers.Standard;

/// <summary>One request's parameters, 16 bytes, in the order of <c>ernie::Truncation</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct StandardParameters
{
    /// <summary>1 / temperature; 0 is greedy.</summary>
    public float InverseTemperature { get; set; }

    /// <summary>Most probable tokens kept; 0 keeps all.</summary>
    public int TopK { get; set; }

    /// <summary>Mass of what top-k left that is kept; 1 keeps all.</summary>
    public float TopP { get; set; }

    /// <summary>Keeps tokens at least this fraction as probable as the most probable one.</summary>
    public float MinP { get; set; }
}
