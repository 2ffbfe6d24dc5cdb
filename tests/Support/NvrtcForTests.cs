using System.Diagnostics;
using Ernie.Cuda.Nvrtc;

namespace Ernie.Testing.Gpu;

/// <summary>The compiler, from the machine or from the folder beside the checkout that has one for machines without a GPU.</summary>
internal static class NvrtcForTests
{
    private static readonly Lazy<NvrtcCompiler?> s_compiler = new(Find);

    public static NvrtcCompiler Require()
    {
        Assert.SkipUnless(s_compiler.Value is not null, "No libnvrtc 12 or 13 on this machine; ERNIE_NVRTC may name its folder.");
        return s_compiler.Value!; // The line above skips otherwise.
    }

    private static NvrtcCompiler? Find()
    {
        string? unpack = SharedFixtures.Folder is string folder ? Path.Combine(folder, "nvrtc", "unpack") : null;
        if (Environment.GetEnvironmentVariable("ERNIE_NVRTC") is not { Length: > 0 } && File.Exists(unpack))
        {
            using Process process = Process.Start(new ProcessStartInfo(unpack) { RedirectStandardOutput = true })!; // Not shell-executed: never null.
            Environment.SetEnvironmentVariable("ERNIE_NVRTC", process.StandardOutput.ReadToEnd().Trim());
            process.WaitForExit();
        }

        return NvrtcCompiler.TryCreate();
    }
}
