using Ernie.Execution;
using Ernie.Hosting.Backends;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;

namespace Ernie.Hosting.Tests.Building;

public sealed class BackendListTests
{
    private sealed class FakeBackend(string name, string? obstacle) : IBackend
    {
        public string Name => name;

        public string? FindObstacle() => obstacle;

        public IExecutor Create(BackendRequest request) => throw new NotSupportedException();
    }

    private static readonly IBackend[] s_backends = [new FakeBackend("cuda", "there is no driver."), new CpuBackend()];

    [Fact]
    public void Choose_Auto_TakesTheFirstThatWorksAndSaysWhyNotTheOthers()
    {
        var skipped = new List<string>();

        Assert.Equal("cpu", BackendList.Choose(s_backends, "auto", skipped.Add).Name);
        Assert.Equal(["cuda is not used: there is no driver."], skipped);
    }

    [Fact]
    public void Load_DeviceThatFails_FallsBackOnlyWhenItMay()
    {
        IBackend[] backends = [new FailingBackend("cuda"), new FailingBackend("cpu")];
        var skipped = new List<string>();

        OptionException auto = Assert.Throws<OptionException>(() => BackendList.Load(backends, Request("auto"), skipped.Add));
        OptionException named = Assert.Throws<OptionException>(() => BackendList.Load(backends, Request("cuda")));

        Assert.Contains("no memory on cpu", auto.Message, StringComparison.Ordinal);
        Assert.Equal(["cuda is not used: no memory on cuda"], skipped);
        Assert.Contains("no memory on cuda", named.Message, StringComparison.Ordinal);
    }

    private static BackendRequest Request(string device) => new()
    {
        Graph = Ernie.Models.ModelRegistry.FindByName("tales")!.BuildGraph(), // Compiled in.
        Checkpoint = new Ernie.Weights.DummyCheckpoint(),
        Quantization = new QuantizationOptions(),
        Options = OptionSet.Defaults.With(DeviceRows.Device, device),
    };

    private sealed class FailingBackend(string name) : IBackend
    {
        public string Name => name;

        public string? FindObstacle() => null;

        public IExecutor Create(BackendRequest request) => throw new DeviceUnavailableException($"no memory on {name}");
    }

    [Fact]
    public void Choose_ByName_TakesNoOther()
    {
        Assert.Equal("cpu", BackendList.Choose(s_backends, "cpu").Name);
        Assert.Contains("there is no driver", Assert.Throws<OptionException>(() => BackendList.Choose(s_backends, "cuda")).Message, StringComparison.Ordinal);
        Assert.Contains("not available", Assert.Throws<OptionException>(() => BackendList.Choose([new CpuBackend()], "cuda")).Message, StringComparison.Ordinal);
    }
}
