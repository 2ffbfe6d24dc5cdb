using Ernie.Cuda.Compilation;
using Ernie.Cuda.Execution;
using Ernie.Cuda.Memory;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Testing;
using Ernie.Testing.Gpu;
using Ernie.Weights;

namespace Ernie.Gpu.Tests;

/// <summary>The matrix kernels against sums in double of the weights that the CPU decodes.</summary>
public sealed class LinearKernelTests
{
    public static TheoryData<string, string, int> Cases => new(
        from model in (string[])["tales", "0.3b"]
        from format in (string[])["bf16", "wint8", "wint4", "wint4-64", "wint4-channel", "fp8"]
        from tokens in (int[])[1, 2, 7, 8, 9, 16, 63, 64, 65, 256, 257, 300]
        where model == "tales" || tokens is 1 or 8 or 9 or 65 or 257
        select (model, format, tokens));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Residual_AnyTokenCount_AddsTheProduct(string model, string format, int tokenCount) =>
        Check(model, format, tokenCount, plan => plan.Down, layer => layer.Down, isSwiGlu: false);

    [Theory]
    [MemberData(nameof(Cases))]
    public void SwiGlu_AnyTokenCount_GatesTheNormalisedProduct(string model, string format, int tokenCount) =>
        Check(model, format, tokenCount, plan => plan.GateUp, layer => layer.GateUp, isSwiGlu: true);

    private static void Check(
        string model, string format, int tokenCount, Func<KernelPlan, LinearKernels> kernelsOf, Func<DenseLayer, LinearWeight> weightOf, bool isSwiGlu)
    {
        Cuda.CudaDevice device = Gpu.Require();
        ModelShape shape = (model == "tales" ? DenseGraphs.Tales : DenseGraphs.Base) with { LayerCount = 1 };
        KernelPlan plan = KernelPlanner.Create(DenseGraphs.Create(shape, Recipe(format)), device.Profile);
        LinearKernels kernels = kernelsOf(plan);
        KernelSpec specification = tokenCount <= LinearKernels.DecodeTokens ? kernels.Decode : kernels.TileFor(tokenCount).Kernel;
        using DummyCheckpoint checkpoint = new();
        using WeightMatrix matrix = new WeightLoader(checkpoint).Load(weightOf(plan.Model.Layers[0]));
        using CudaStream stream = new();
        using DeviceArena arena = new();
        using CudaKernel kernel = Load(specification, device);
        (ulong elements, ulong scales) = DeviceWeights.Upload(matrix, interleavesHalves: isSwiGlu, arena, stream);
        Random random = new(HashCode.Combine(tokenCount, matrix.Rows));
        int inputs = matrix.Columns, outputs = matrix.Rows, width = isSwiGlu ? outputs / 2 : outputs;
        float[] input = Values(random, tokenCount * inputs), old = Values(random, tokenCount * outputs);
        float[] gain = Values(random, inputs);
        bool normalizesHere = isSwiGlu && tokenCount <= LinearKernels.DecodeTokens;

        // The decode kernels read up to the bucket's rows: what lies there must not matter.
        float[] padded = [.. input, .. Enumerable.Repeat(float.NaN, Math.Max(0, LinearKernels.DecodeTokens - tokenCount) * inputs)];
        ulong inputAddress = normalizesHere ? Upload<float>(arena, stream, padded) : Upload<ushort>(arena, stream, [.. padded.Select(ToBits)]);
        ulong gainAddress = Upload<ushort>(arena, stream, [.. gain.Select(ToBits)]);
        ulong countAddress = Upload<int>(arena, stream, [tokenCount]);
        // One row more than there are tokens: it must stay as it is.
        float[] poisoned = [.. old, .. Enumerable.Repeat(-77f, outputs)];
        ulong outputAddress = isSwiGlu
            ? Upload<ushort>(arena, stream, [.. Enumerable.Repeat((ushort)0xC29A, (tokenCount + 1) * width)])
            : Upload<float>(arena, stream, poisoned);
        EpilogueArguments epilogue = isSwiGlu ? new() { Activation = outputAddress } : new() { Output = outputAddress };
        if (tokenCount <= LinearKernels.DecodeTokens)
        {
            kernel.Launch(stream.Handle, kernels.DecodeTiles, 1, 1, new LinearDecodeArguments
            {
                Weight = elements, Scales = scales, Input = inputAddress, Gain = gainAddress, TokenCount = countAddress,
                TokenCapacity = LinearKernels.DecodeTokens, Epilogue = epilogue,
            }, overlapsPrevious: false);
        }
        else
        {
            LinearTile tile = kernels.TileFor(tokenCount);
            kernel.Launch(stream.Handle, outputs / tile.Outputs, (tokenCount + tile.Tokens - 1) / tile.Tokens, 1, new LinearTileArguments
            {
                Weight = elements, Scales = scales, Input = inputAddress, TokenCount = countAddress, Epilogue = epilogue,
            }, overlapsPrevious: false);
        }

        float[] actual;
        if (isSwiGlu)
        {
            ushort[] bits = new ushort[(tokenCount + 1) * width];
            stream.Download<ushort>(bits, outputAddress);
            actual = [.. bits.Select(value => BitConverter.UInt32BitsToSingle((uint)value << 16))];
            Assert.All(actual[(tokenCount * width)..], value => Assert.Equal(-77f, value));
        }
        else
        {
            actual = new float[(tokenCount + 1) * width];
            stream.Download<float>(actual, outputAddress);
            Assert.All(actual[(tokenCount * width)..], value => Assert.Equal(-77f, value));
        }

        if (normalizesHere)
            input = Normalize(input, gain, inputs, shape.RmsNormEpsilon);
        double[] expected = Expected(matrix, input, old, tokenCount, isSwiGlu);
        double[] got = [.. actual[..(tokenCount * width)].Select(value => (double)value)];
        Numeric.AssertClose(expected, got, isSwiGlu ? Tolerance.Bf16Product(inputs) : Tolerance.Bf16Dot(inputs));
    }

    private static double[] Expected(WeightMatrix matrix, float[] input, float[] old, int tokenCount, bool isSwiGlu)
    {
        int inputs = matrix.Columns, outputs = matrix.Rows;
        double[] products = new double[tokenCount * outputs];
        Parallel.For(0, outputs, n =>
        {
            float[] row = new float[inputs];
            matrix.DequantizeRow(n, row);
            for (int token = 0; token < tokenCount; token++)
            {
                double sum = 0;
                for (int k = 0; k < inputs; k++)
                    sum += (double)row[k] * input[(token * inputs) + k];
                products[(token * outputs) + n] = sum;
            }
        });
        if (!isSwiGlu)
            return [.. products.Select((product, index) => product + old[index])];

        int width = outputs / 2;
        double[] gated = new double[tokenCount * width];
        for (int token = 0; token < tokenCount; token++)
        {
            for (int i = 0; i < width; i++)
            {
                double gate = products[(token * outputs) + i];
                gated[(token * width) + i] = gate / (1 + Math.Exp(-gate)) * products[(token * outputs) + width + i];
            }
        }

        return gated;
    }

    private static float[] Normalize(float[] input, float[] gain, int width, double epsilon)
    {
        float[] normalized = new float[input.Length];
        for (int token = 0; token < input.Length / width; token++)
        {
            double squares = 0;
            for (int k = 0; k < width; k++)
                squares += (double)input[(token * width) + k] * input[(token * width) + k];
            double factor = 1 / Math.Sqrt((squares / width) + epsilon);
            for (int k = 0; k < width; k++)
                normalized[(token * width) + k] = Round((float)(input[(token * width) + k] * factor * gain[k]));
        }

        return normalized;
    }

    private static QuantizationRecipe Recipe(string format) => format switch
    {
        "wint4-64" => new(WeightEncoding.Int4Group(64), WeightEncoding.Bf16),
        "wint4-channel" => new(WeightEncoding.Int4PerChannel, WeightEncoding.Bf16),
        _ => DenseGraphs.Recipes[format],
    };

    private static CudaKernel Load(KernelSpec specification, Cuda.CudaDevice device)
    {
        KernelCompiler compiler = new(CubinCache.Default(), NvrtcForTests.Require());
        return CudaKernel.Load(specification, compiler.Compile([specification], device.Profile.Architecture)[specification].Cubin.Span);
    }

    private static ulong Upload<T>(DeviceArena arena, CudaStream stream, T[] values)
        where T : unmanaged
    {
        ulong address = arena.Take(values.Length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
        stream.Upload<T>(address, values);
        return address;
    }

    private static float[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => Round((random.NextSingle() * 2) - 1))];

    private static ushort ToBits(float value) => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);

    private static float Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000);
    }
}
