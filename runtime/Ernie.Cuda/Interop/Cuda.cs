using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

/// <summary>The CUDA driver API: names keep their native spelling. One file per feature. Source: cuda.h of CUDA 12.</summary>
internal static partial class Cuda
{
    /// <summary>Throws when a call failed. The call's text comes from the compiler.</summary>
    internal static void Check(CuResult result, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result != CuResult.CUDA_SUCCESS)
            Throw(result, call);
    }

    [DoesNotReturn, StackTraceHidden]
    private static void Throw(CuResult result, string call) =>
        throw new CudaException(
            call,
            Text(cuGetErrorName(result, out nint name), name) ?? $"CUresult {(int)result}",
            cuCtxGetDevice(out int device) == CuResult.CUDA_SUCCESS ? device : -1,
            Text(cuGetErrorString(result, out nint description), description) ?? "no description");

    private static string? Text(CuResult result, nint text) =>
        result == CuResult.CUDA_SUCCESS ? Marshal.PtrToStringUTF8(text) : null;

    [LibraryImport(Libraries.Cuda)]
    private static partial CuResult cuGetErrorName(CuResult error, out nint text);

    [LibraryImport(Libraries.Cuda)]
    private static partial CuResult cuGetErrorString(CuResult error, out nint text);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuInit(uint flags);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuDriverGetVersion(out int version);
}
