using System.Runtime.InteropServices;
using Ernie.Cuda.Interop;

namespace Ernie.Cuda.Nvrtc;

/// <summary>Finds libnvrtc 13 or 12 where toolkits, packages and pip wheels put it.</summary>
public static class NvrtcLocator
{
    private static readonly Lock s_lock = new();
    private static string? s_loaded;

    /// <summary>Loads the compiler library once per process.</summary>
    /// <returns>The file that was loaded, or null when there is none in <see cref="SearchFolders"/>.</returns>
    /// <exception cref="CudaUnavailableException">ERNIE_NVRTC names a folder without the library.</exception>
    public static string? TryLoad()
    {
        lock (s_lock)
        {
            if (s_loaded is null && Variable("ERNIE_NVRTC") is { } given)
                RequireLibrary(given);
            return s_loaded ??= SearchFolders().SelectMany(Candidates).FirstOrDefault(Load);
        }
    }

    /// <summary>Refuses a folder that was named and does not hold the library: another compiler than the one asked for is not passed off as it.</summary>
    /// <param name="folder">What ERNIE_NVRTC says.</param>
    /// <exception cref="CudaUnavailableException">There is no such folder, or no library in it.</exception>
    internal static void RequireLibrary(string folder)
    {
        if (Candidates(folder).Any())
            return;

        string problem = Directory.Exists(folder) ? $"that folder holds none of {string.Join(", ", LibraryNames)}"
            : File.Exists(folder) ? "that is a file; name the folder that it is in"
            : "there is no such folder";
        throw new CudaUnavailableException(
            CudaDiagnostics.NoCompiler, $"ERNIE_NVRTC is '{folder}': {problem}. Name the folder of libnvrtc, or unset it to have the usual places searched.");
    }

    /// <summary>Folders that are searched, in order: ERNIE_NVRTC, CUDA_HOME and CUDA_PATH, the usual ones, pip wheels.</summary>
    public static IEnumerable<string> SearchFolders()
    {
        if (Variable("ERNIE_NVRTC") is { } given)
            yield return given;

        foreach (string name in (string[])["CUDA_HOME", "CUDA_PATH"])
        {
            if (Variable(name) is not { } home)
                continue;

            yield return Path.Combine(home, "lib64");
            yield return Path.Combine(home, "targets", "x86_64-linux", "lib");
            yield return Path.Combine(home, "bin");
        }

        yield return "/usr/local/cuda/lib64";
        yield return "/usr/local/cuda/targets/x86_64-linux/lib";
        yield return "/usr/lib/x86_64-linux-gnu";
        yield return "/usr/lib64";

        foreach (string packages in PythonPackageFolders())
        {
            yield return Path.Combine(packages, "nvidia", "cu13", "lib");
            yield return Path.Combine(packages, "nvidia", "cuda_nvrtc", "lib");
        }
    }

    private static IEnumerable<string> PythonPackageFolders()
    {
        List<string> roots = ["/usr/local/lib", "/usr/lib", "/opt/conda/lib"];
        if (Variable("HOME") is { } home)
            roots.Add(Path.Combine(home, ".local", "lib"));
        if (Variable("VIRTUAL_ENV") is { } environment)
            roots.Insert(0, Path.Combine(environment, "lib"));

        foreach (string root in roots.Where(Directory.Exists))
        {
            foreach (string python in Directory.EnumerateDirectories(root, "python3*").Order(StringComparer.Ordinal))
            {
                yield return Path.Combine(python, "site-packages");
                yield return Path.Combine(python, "dist-packages");
            }
        }
    }

    private static string[] LibraryNames => OperatingSystem.IsWindows()
        ? ["nvrtc64_130_0.dll", "nvrtc64_120_0.dll"]
        : ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"];

    private static IEnumerable<string> Candidates(string folder)
    {
        if (!Directory.Exists(folder))
            return [];

        return LibraryNames.Select(name => Path.Combine(folder, name)).Where(File.Exists);
    }

    private static bool Load(string path)
    {
        // NVRTC opens its builtins by name while it compiles, and the loader finds them by name only once they are loaded.
        string folder = Path.GetDirectoryName(path)!; // Candidates joins a folder and a name.
        foreach (string builtins in Directory.EnumerateFiles(folder, "*nvrtc-builtins*"))
            NativeLibrary.TryLoad(builtins, out _);

        return Libraries.TryLoadNvrtc(path);
    }

    private static string? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
