using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Ernie.Cuda.Interop;
using Ernie.Kernels;

namespace Ernie.Cuda.Nvrtc;

/// <summary>Compiles kernel text to a cubin with NVRTC. Thread-safe.</summary>
public sealed partial class NvrtcCompiler
{
    private NvrtcCompiler(string path, string version)
    {
        Path = path;
        Version = version;
    }

    /// <summary>File of the compiler library.</summary>
    public string Path { get; }

    /// <summary>"13.0".</summary>
    public string Version { get; }

    /// <summary>Loads the compiler.</summary>
    /// <returns>The compiler, or null when no libnvrtc is installed.</returns>
    public static NvrtcCompiler? TryCreate()
    {
        if (NvrtcLocator.TryLoad() is not { } path)
            return null;

        Check(NvrtcApi.nvrtcVersion(out int major, out int minor), "nvrtcVersion");
        return new NvrtcCompiler(path, string.Create(CultureInfo.InvariantCulture, $"{major}.{minor}"));
    }

    /// <summary>Compiles.</summary>
    /// <param name="source">Text with its headers.</param>
    /// <param name="architecture">Real architecture, for example sm_90a.</param>
    /// <exception cref="KernelCompileException">The compiler refused the text; the exception carries its log.</exception>
    public CompiledKernel Compile(KernelSource source, GpuArchitecture architecture)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(architecture);
        string[] names = [.. source.Headers.Select(header => header.Name)];
        string[] texts = [.. source.Headers.Select(header => header.Text)];
        Check(
            NvrtcApi.nvrtcCreateProgram(out SafeNvrtcProgram program, source.Text, source.Name + ".cu", names.Length, texts, names),
            "nvrtcCreateProgram");
        using (program)
        {
            string[] options = KernelSource.CompilerOptions(architecture);
            int result = NvrtcApi.nvrtcCompileProgram(program, options.Length, options);
            string log = Log(program);
            if (result != NvrtcApi.NVRTC_SUCCESS)
                throw new KernelCompileException(source.Name, $"{architecture.Name} (NVRTC {Version})", log);

            Check(NvrtcApi.nvrtcGetCUBINSize(program, out nuint byteCount), "nvrtcGetCUBINSize");
            byte[] cubin = new byte[byteCount];
            Check(NvrtcApi.nvrtcGetCUBIN(program, cubin), "nvrtcGetCUBIN");
            return new CompiledKernel(cubin, Number(Registers(), log), Number(StackBytes(), log) + Number(SpillBytes(), log));
        }
    }

    private static int Number(Regex pattern, string log) =>
        pattern.Matches(log).Select(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)).DefaultIfEmpty().Max();

    [GeneratedRegex(@"Used (\d+) registers")]
    private static partial Regex Registers();

    [GeneratedRegex(@"(\d+) bytes stack frame")]
    private static partial Regex StackBytes();

    [GeneratedRegex(@"(\d+) bytes spill stores")]
    private static partial Regex SpillBytes();

    private static string Log(SafeNvrtcProgram program)
    {
        Check(NvrtcApi.nvrtcGetProgramLogSize(program, out nuint byteCount), "nvrtcGetProgramLogSize");
        byte[] log = new byte[byteCount];
        Check(NvrtcApi.nvrtcGetProgramLog(program, log), "nvrtcGetProgramLog");
        return Encoding.UTF8.GetString(log).TrimEnd('\0', '\n');
    }

    private static void Check(int result, string call)
    {
        if (result != NvrtcApi.NVRTC_SUCCESS)
            throw new CudaUnavailableException(
                CudaDiagnostics.NoCompiler,
                $"{call} failed: {Marshal.PtrToStringUTF8(NvrtcApi.nvrtcGetErrorString(result))}");
    }
}
