using Ernie.Benchmarks;

if (args is ["cpu", ..])
    CpuTiming.Run(args.AsSpan(1));
else
    BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
