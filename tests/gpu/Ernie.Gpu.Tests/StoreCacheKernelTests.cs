using Ernie.Cuda.Compilation;
using Ernie.Cuda.Execution;
using Ernie.Cuda.Memory;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Testing;
using Ernie.Testing.Gpu;

namespace Ernie.Gpu.Tests;

/// <summary>What the 8-bit caches hold, bit by bit.</summary>
public sealed class StoreCacheKernelTests
{
    private const int Tokens = 70, Launched = 96, PagesPerSlot = 3, Pages = 7, HeadSize = 128;

    [Theory]
    [InlineData(KeyValueFormat.Float8)]
    [InlineData(KeyValueFormat.Integer8)]
    public void Store_TokensOfTwoSlots_AreTheCodecsCodes(KeyValueFormat format)
    {
        Cuda.CudaDevice device = Gpu.Require();
        ModelShape shape = DenseGraphs.Base;
        AttentionKernels kernels = AttentionKernels.Create(shape, device.Profile, format);
        KernelSpec specification = kernels.Store!; // Both formats have one.
        KernelCompiler compiler = new(CubinCache.Default(), NvrtcForTests.Require());
        using CudaKernel kernel = CudaKernel.Load(specification, compiler.Compile([specification], device.Profile.Architecture)[specification].Cubin.Span);
        using DeviceArena arena = new();
        using CudaStream stream = new();
        Random random = new(11);
        float[] keys = Values(random, shape), values = Values(random, shape);
        // A head of zeros has no largest value, and rounding ties must go to even.
        keys.AsSpan(0, HeadSize).Clear();
        for (int i = 0; i < HeadSize; i++)
            values[i] = i - 64;
        int[] pageTable = [5, 0, 3, 2, 6, 1];
        (int Position, int Slot)[] places = [.. Enumerable.Range(0, Tokens).Select(token => token < 40 ? (100 + token, 1) : (token, 0))];
        int elements = Pages * KernelPlan.TokensPerPage * shape.KeyValueWidth, vectors = elements / HeadSize;
        ulong keyPages = Filled(arena, stream, elements), valuePages = Filled(arena, stream, elements);
        ulong keyScales = Filled(arena, stream, vectors * sizeof(float)), valueScales = Filled(arena, stream, vectors * sizeof(float));

        kernel.Launch(stream.Handle, Launched, 1, 1, new StoreCacheArguments
        {
            Keys = Upload<ushort>(arena, stream, [.. keys.Select(ToBits)]),
            Values = Upload<ushort>(arena, stream, [.. values.Select(ToBits)]),
            KeyPages = keyPages,
            ValuePages = valuePages,
            KeyScales = keyScales,
            ValueScales = valueScales,
            Places = Upload<int>(arena, stream, [.. places.SelectMany(place => (int[])[place.Position, place.Slot])]),
            PageTable = Upload<int>(arena, stream, pageTable),
            TokenCount = Upload<int>(arena, stream, [Tokens]),
            PagesPerSlot = PagesPerSlot,
        }, overlapsPrevious: false);

        AssertPages(keys, keyPages, keyScales);
        AssertPages(values, valuePages, valueScales);

        void AssertPages(float[] source, ulong codesAddress, ulong scalesAddress)
        {
            byte[] codes = new byte[elements], scales = new byte[vectors * sizeof(float)];
            stream.Download<byte>(codes, codesAddress);
            stream.Download<byte>(scales, scalesAddress);
            byte[] expectedCodes = [.. Enumerable.Repeat((byte)0xC2, elements)], expectedScales = [.. Enumerable.Repeat((byte)0xC2, scales.Length)];
            for (int token = 0; token < Tokens; token++)
            {
                for (int head = 0; head < shape.KeyValueHeads; head++)
                {
                    int page = pageTable[(places[token].Slot * PagesPerSlot) + (places[token].Position / KernelPlan.TokensPerPage)];
                    int vector = (((page * shape.KeyValueHeads) + head) * KernelPlan.TokensPerPage) + (places[token].Position % KernelPlan.TokensPerPage);
                    float scale = KeyValueCodec.Quantize(
                        format, source.AsSpan(((token * shape.KeyValueHeads) + head) * HeadSize, HeadSize), expectedCodes.AsSpan(vector * HeadSize, HeadSize));
                    BitConverter.TryWriteBytes(expectedScales.AsSpan(vector * sizeof(float)), scale);
                }
            }

            Assert.Equal(expectedCodes, codes);
            Assert.Equal(expectedScales, scales);
        }
    }

    private static float[] Values(Random random, ModelShape shape) =>
        [.. Enumerable.Range(0, Tokens * shape.KeyValueWidth).Select(_ => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits((random.NextSingle() * 6) - 3) & 0xFFFF0000))];

    private static ulong Filled(DeviceArena arena, CudaStream stream, int bytes)
    {
        ulong address = arena.Take(bytes);
        Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuMemsetD8Async(address, 0xC2, (nuint)bytes, stream.Handle));
        return address;
    }

    private static ulong Upload<T>(DeviceArena arena, CudaStream stream, T[] values)
        where T : unmanaged
    {
        ulong address = arena.Take(values.Length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
        stream.Upload<T>(address, values);
        return address;
    }

    private static ushort ToBits(float value) => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);
}
