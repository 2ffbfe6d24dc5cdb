using Ernie.Benchmarks;
using Ernie.Benchmarks.Serving;

if (args is ["cpu", ..])
    CpuTiming.Run(args.AsSpan(1));
else if (args is ["serve", ..])
    await ServingCeiling.RunAsync(args.AsMemory(1));
else
    BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(typeof(CpuTiming).Assembly).Run(args);
