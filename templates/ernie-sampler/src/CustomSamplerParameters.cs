using System.Runtime.InteropServices;
using Ernie.Sampling.Toolkit;

namespace Ernie.Template;

/// <summary>What a draw knows of its request; at most 64 bytes, written once per request.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CustomSamplerParameters
{
    /// <summary>temperature, min_p, top_k and top_p.</summary>
    public Truncation Limits;

    /// <summary>Keeps tokens of at least this times the square of the largest probability.</summary>
    public float TopA;
}
