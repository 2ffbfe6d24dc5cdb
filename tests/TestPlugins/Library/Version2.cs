[assembly: System.Reflection.AssemblyVersion("2.0.0.0")]

namespace TestPlugins.Library;

public static class Names
{
    public static string First() => "first-of-version-2";

    public static string Second() => "second-of-version-2";
}
