using System.Runtime.InteropServices;

namespace Ernie.Template;

/// <summary>What a draw knows of its request; at most 64 bytes, written once per request.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CustomSamplerParameters
{
    /// <summary>1 / temperature; 0 is greedy.</summary>
    public float InverseTemperature;

    /// <summary>Keeps tokens of at least this times the square of the largest probability.</summary>
    public float TopA;
}
