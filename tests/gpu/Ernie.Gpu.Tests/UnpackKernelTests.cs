using System.Runtime.InteropServices;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Memory;
using Ernie.Cuda.Nvrtc;
using Ernie.Kernels;
using Ernie.Sampling;
using Ernie.Testing.Gpu;
using Ernie.Weights;

namespace Ernie.Gpu.Tests;

/// <summary>Device functions against their C# counterparts, bit by bit.</summary>
public sealed class UnpackKernelTests
{
    [StructLayout(LayoutKind.Sequential)]
    private struct ProbeArguments
    {
        public ulong Input, Output;
        public int Count;
    }

    [Fact]
    public void Int4_EveryNibbleInEveryPlace_IsTheIntegerItStandsFor()
    {
        byte[] natural = new byte[64], packed = new byte[64];
        new Random(1).NextBytes(natural);
        WeightPacking.PackInt4(natural, packed);

        float[] values = Unpack("kInt4", packed, 128);

        for (int column = 0; column < 128; column++)
            Assert.Equal((natural[column / 2] >> (4 * (column % 2)) & 15) - 8, values[column]);
    }

    [Fact]
    public void Int8_EveryByte_IsTheIntegerItStandsFor()
    {
        byte[] natural = [.. Enumerable.Range(0, 256).Select(value => (byte)value)], packed = new byte[256];
        WeightPacking.PackBytes(natural, packed);

        float[] values = Unpack("kInt8", packed, 256);

        Assert.Equal(natural.Select(value => (float)(sbyte)value), values);
    }

    [Fact]
    public void Float8_EveryCode_IsWhatTheCodecSays()
    {
        byte[] natural = [.. Enumerable.Range(0, 256).Select(value => (byte)value)], packed = new byte[256];
        WeightPacking.PackBytes(natural, packed);

        float[] values = Unpack("kFloat8", packed, 256);

        for (int code = 0; code < 256; code++)
        {
            if (!float.IsNaN(Fp8Codec.Decode((byte)code)))
                Assert.Equal(Fp8Codec.Decode((byte)code), values[code]);
        }
    }

    [Fact]
    public void Philox_EachDraw_IsTheCpusNumber()
    {
        Gpu.Require();
        const string Source = """
            namespace ernie {
            struct ProbeArgs { const void* input; float* output; int count; };
            template <class Spec> __device__ void probe(const ProbeArgs& args) {
                Philox random = {0x89abcdefu, 0x01234567u, threadIdx.x, 0, 3};
                for (int draw = 0; draw < 4; draw++) args.output[threadIdx.x * 4 + draw] = random.uniform(draw);
            }
            }
            """;

        float[] values = Run("ernie/sampling/philox.cuh", Source, [], [0], 32 * 4);

        for (int position = 0; position < 32; position++)
        {
            Philox random = new(0x0123456789abcdef, position, 3);
            for (int draw = 0; draw < 4; draw++)
                Assert.Equal(random.NextSingle(), values[(position * 4) + draw]);
        }
    }

    // One warp reads chunks as linear_decode does and writes each element at its column.
    private static float[] Unpack(string format, byte[] packed, int columns)
    {
        Gpu.Require();
        const string Source = """
            namespace ernie {
            struct ProbeArgs { const uint4* input; float* output; int count; };
            template <class Spec> __device__ void probe(const ProbeArgs& args) {
                constexpr int kColumns = kInputsPerLoad<Spec::kFormat>;
                int t = threadIdx.x;
                if (t >= 4) return;
                for (int chunk = 0; chunk < args.count / kColumns; chunk++) {
                    uint4 loaded = args.input[chunk * 4 + t];
                    for (int j = 0; j < kColumns / 32; j++) {
                        Eight eight = unpack<Spec::kFormat>(loaded, j);
                        for (int i = 0; i < 8; i++)
                            args.output[chunk * kColumns + j * 32 + t * 8 + i] = i % 2 ? high_to_float(eight.pair[i / 2]) : low_to_float(eight.pair[i / 2]);
                    }
                }
            }
            }
            """;
        return Run("ernie/linear/weights.cuh", Source, [KernelConstant.Of("ernie::WeightFormat", "kFormat", "ernie::WeightFormat::" + format)], packed, columns);
    }

    private static float[] Run(string header, string source, KernelConstant[] constants, byte[] input, int outputs)
    {
        NvrtcCompiler nvrtc = NvrtcForTests.Require();
        KernelSpec specification = new()
        {
            Name = "ernie_probe",
            Header = header,
            Function = "probe",
            Arguments = "ProbeArgs",
            Threads = 32,
            Constants = constants,
            Snippet = source,
        };
        CompiledKernel compiled = nvrtc.Compile(KernelSource.Create(specification), Gpu.Require().Profile.Architecture);
        using CudaKernel kernel = CudaKernel.Load(specification, compiled.Cubin.Span);
        using CudaStream stream = new();
        using DeviceArena arena = new();
        ProbeArguments arguments = new() { Input = arena.Take(input.Length), Output = arena.Take(outputs * sizeof(float)), Count = outputs };
        stream.Upload<byte>(arguments.Input, input);

        kernel.Launch(stream.Handle, 1, 1, 1, arguments, overlapsPrevious: false);

        float[] values = new float[outputs];
        stream.Download<float>(values, arguments.Output);
        return values;
    }
}
