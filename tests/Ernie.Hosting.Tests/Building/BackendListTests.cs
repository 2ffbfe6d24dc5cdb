using Ernie.Execution;
using Ernie.Hosting.Backends;
using Ernie.Hosting.Options;

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
    public void Choose_ByName_TakesNoOther()
    {
        Assert.Equal("cpu", BackendList.Choose(s_backends, "cpu").Name);
        Assert.Contains("there is no driver", Assert.Throws<OptionException>(() => BackendList.Choose(s_backends, "cuda")).Message, StringComparison.Ordinal);
        Assert.Contains("not available", Assert.Throws<OptionException>(() => BackendList.Choose([new CpuBackend()], "cuda")).Message, StringComparison.Ordinal);
    }
}
