[assembly: System.Reflection.AssemblyVersion("1.0.0.0")]

namespace TestPlugins.Library;

public static class Names
{
    public static string First() => "first-of-version-1";
}
