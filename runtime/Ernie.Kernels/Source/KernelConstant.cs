using System.Globalization;

namespace Ernie.Kernels;

/// <summary>One constant of a Spec struct.</summary>
/// <param name="Type">C++ type: int, bool, float, or using for a type alias.</param>
/// <param name="Name">C++ name: kInputWidth.</param>
/// <param name="Value">C++ literal.</param>
public sealed record KernelConstant(string Type, string Name, string Value)
{
    /// <summary>An integer.</summary>
    /// <param name="name">C++ name.</param>
    /// <param name="value">Its value.</param>
    public static KernelConstant Of(string name, int value) => new("int", name, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>A flag.</summary>
    /// <param name="name">C++ name.</param>
    /// <param name="value">Its value.</param>
    public static KernelConstant Of(string name, bool value) => new("bool", name, value ? "true" : "false");

    /// <summary>A number; written so that it reads back to the same bits.</summary>
    /// <param name="name">C++ name.</param>
    /// <param name="value">Its value.</param>
    public static KernelConstant Of(string name, float value) =>
        new("float", name, value.ToString("E9", CultureInfo.InvariantCulture) + "f");

    /// <summary>An enumerator or a type alias.</summary>
    /// <param name="type">C++ enumeration, or using.</param>
    /// <param name="name">C++ name.</param>
    /// <param name="value">Enumerator or type.</param>
    public static KernelConstant Of(string type, string name, string value) => new(type, name, value);
}
