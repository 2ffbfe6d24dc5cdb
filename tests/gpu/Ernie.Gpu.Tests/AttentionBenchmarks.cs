using System.Globalization;
using Ernie.Cuda.Interop;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Testing.Gpu;
using static Ernie.Gpu.Tests.BenchmarkReport;

namespace Ernie.Gpu.Tests;

/// <summary>
/// Attention alone, run on request: <c>dotnet Ernie.Gpu.Tests.dll -explicit only -class Ernie.Gpu.Tests.AttentionBenchmarks</c>.
/// Graphs of launches with programmatic edges, timed by events; lines begin with "bench", ERNIE_BENCH_FILE also gets them.
/// </summary>
public sealed class AttentionBenchmarks
{
    private const int Launches = 18, Replays = 15;

    [Theory(Explicit = true)]
    [InlineData(KeyValueFormat.BFloat16, "3x2")]
    [InlineData(KeyValueFormat.Float8, "3x3,5x2")]
    [InlineData(KeyValueFormat.Integer8, "3x3")]
    public void Decode_RowsAndContexts_AreMeasured(KeyValueFormat format, string depths)
    {
        ModelShape shape = DenseGraphs.Base;
        DeviceProfile device = Gpu.Require().Profile;
        AttentionKernels kernels = AttentionKernels.Create(shape, device, format);
        AttentionLaunch[] shares = [.. depths.Split(',').Select(depth =>
        {
            KernelSpec kernel = AttentionKernels.DecodeKernel(shape, format, depth[0] - '0', depth[2] - '0', clusterBlocks: 1);
            return new AttentionLaunch(kernel, device.Multiprocessors * kernel.MinBlocks, 1, 1);
        })];
        foreach ((int rows, int context) in ((int, int)[])[(1, 128), (1, 256), (1, 1024), (1, 4096), (1, 32768), (4, 256), (8, 256), (8, 1024), (16, 256), (16, 1024), (32, 256), (64, 256), (128, 256), (256, 256), (256, 1024)])
        {
            using AttentionProblem problem = new(shape, format, [.. Enumerable.Range(0, rows).Select(_ => (context - 1, 1))], 16, 64 << 20, 1, repeats: true);
            double bytes = 2.0 * rows * context * shape.KeyValueHeads * format.BytesPerHead(shape.HeadDim);
            foreach (AttentionLaunch launch in rows > 8 ? shares : shares[..1])
                Measure($"decode {format} {rows} x {context} shares, {launch.Kernel.MinBlocks} blocks of {launch.Kernel.SharedMemoryBytes} bytes", problem, () => problem.Decode(launch, overlaps: true), bytes, 0);
            if (kernels.DecodeClusters.Count == 0)
                continue;

            foreach (int size in rows is > 8 and <= 16 ? (int[])[4] : rows <= 8 ? [8] : [])
            {
                KernelSpec kernel = AttentionKernels.DecodeKernel(shape, format, format == KeyValueFormat.BFloat16 ? 3 : 5, 1, size);
                AttentionLaunch launch = kernels.ClusterLaunch(kernel, rows);
                Measure($"decode {format} {rows} x {context} clusters of {size}, {launch.GridX / size} a row", problem, () => problem.Decode(launch, overlaps: true), bytes, 0);
            }
        }

        Random random = new(1);
        (int, int)[] uneven = [.. Enumerable.Range(0, 128).Select(row => (row % 16 == 0 ? 8000 : random.Next(20, 600), 1))];
        using AttentionProblem mixed = new(shape, format, uneven, 16, 64 << 20, 1, repeats: true);
        Measure($"decode {format} 128 uneven rows shares", mixed, () => mixed.Decode(shares[0], overlaps: true),
            uneven.Sum(row => row.Item1 + 1.0) * 2 * shape.KeyValueHeads * format.BytesPerHead(shape.HeadDim), 0);
    }

    [Theory(Explicit = true)]
    [InlineData(KeyValueFormat.BFloat16, 4096, 0, "4x2,wgmma-2-2-2,wgmma-3-1-4")]
    [InlineData(KeyValueFormat.BFloat16, 1024, 0, "4x2,wgmma-2-2-2,wgmma-3-1-4")]
    [InlineData(KeyValueFormat.BFloat16, 8192, 24576, "wgmma-2-2-2")]
    [InlineData(KeyValueFormat.Float8, 4096, 0, "4x2,wgmma-2-2-2")]
    [InlineData(KeyValueFormat.Integer8, 4096, 0, "4x2,wgmma-2-2-2")]
    public void Prefill_Kernels_AreMeasured(KeyValueFormat format, int count, int start, string tiles)
    {
        ModelShape shape = DenseGraphs.Base;
        AttentionKernels kernels = AttentionKernels.Create(shape, Gpu.Require().Profile, format);
        double[] reference = [];
        foreach (string name in tiles.Split(','))
        {
            AttentionTile tile = AttentionKernelTests.Tile(kernels, shape, format, name);
            using AttentionProblem problem = new(shape, format, [(start, count)], tile.Rows / shape.QueryHeadsPerKeyValueHead, kernels.PartialBytes, 1, repeats: true);
            double pairs = ((double)start * count) + (0.5 * count * count);
            Measure($"prefill {format} {count} after {start} {name}", problem, () => problem.Prefill(tile, overlaps: true), 0, 4 * pairs * shape.QueryWidth, count > 4096 ? 2 : 4);
            double[] output = AttentionProblem.ToDoubles(problem.Output());
            if (reference.Length == 0)
                reference = output;
            AttentionKernelTests.AssertClose(reference, output);
        }
    }

    private static void Measure(string title, AttentionProblem problem, Action launch, double bytes, double flops, int launches = Launches)
    {
        launch();
        problem.Stream.Synchronize();
        Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuStreamBeginCapture(problem.Stream.Handle, Cuda.Interop.Cuda.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        for (int i = 0; i < launches; i++)
            launch();
        Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuStreamEndCapture(problem.Stream.Handle, out SafeCudaGraph graph));
        Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuGraphInstantiate(out SafeCudaGraphExec exec, graph, 0));
        Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventCreate(out SafeCudaEvent begin, Cuda.Interop.Cuda.CU_EVENT_DEFAULT));
        Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventCreate(out SafeCudaEvent end, Cuda.Interop.Cuda.CU_EVENT_DEFAULT));
        double[] times = new double[Replays];
        for (int replay = -3; replay < Replays; replay++)
        {
            Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventRecord(begin.Value, problem.Stream.Handle));
            Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuGraphLaunch(exec.Value, problem.Stream.Handle));
            Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventRecord(end.Value, problem.Stream.Handle));
            problem.Stream.Synchronize();
            Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventElapsedTime(out float milliseconds, begin.Value, end.Value));
            if (replay >= 0)
                times[replay] = milliseconds * 1000 / launches;
        }

        begin.Dispose();
        end.Dispose();
        exec.Dispose();
        graph.Dispose();
        Array.Sort(times);
        string rate = flops > 0 ? $"{(flops / times[Replays / 2] / 1e6).ToString("F0", CultureInfo.InvariantCulture)} TFLOP/s" : $"{(bytes / times[Replays / 2] / 1e6).ToString("F2", CultureInfo.InvariantCulture)} TB/s";
        Report($"{title}: {times[Replays / 2]:F2} us (min {times[0]:F2}, max {times[^1]:F2}), {rate}");
    }
}
