using System.Runtime.InteropServices;

namespace Ernie.Samplers.Mirostat;

/// <summary>What a request remembers from draw to draw; zero at its start.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MirostatState
{
    /// <summary>Bits added to the starting bound of twice the target.</summary>
    public float Correction;

    /// <summary>Sum of the weights at the last draw; the device form needs it from one step of a draw to the next.</summary>
    public float Total;
}
