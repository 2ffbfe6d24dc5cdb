namespace Ernie.Hosting.Options;

/// <summary>How keys and values are kept.</summary>
public enum KeyValuePrecision
{
    /// <summary>The device's own choice.</summary>
    Auto,

    /// <summary>8-bit floats (e4m3).</summary>
    EightBitFloat,

    /// <summary>8-bit integers.</summary>
    EightBitInteger,
}
