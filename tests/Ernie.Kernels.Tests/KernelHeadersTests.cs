namespace Ernie.Kernels.Tests;

public class KernelHeadersTests
{
    [Fact]
    public void Closure_OfAKernel_ListsWhatItIncludesBeforeIt()
    {
        string[] names = [.. KernelHeaders.Closure("ernie/linear/linear_decode.cuh").Select(header => header.Name)];

        Assert.Equal("ernie/linear/linear_decode.cuh", names[^1]);
        Assert.True(Array.IndexOf(names, "ernie/common/types.cuh") < Array.IndexOf(names, "ernie/linear/weights.cuh"));
    }

    [Fact]
    public void Closure_OfAnUnknownName_NamesIt() =>
        Assert.Contains("ernie/none.cuh", Assert.Throws<ArgumentException>(() => KernelHeaders.Closure("ernie/none.cuh")).Message, StringComparison.Ordinal);

    [Fact]
    public void Headers_InTheTemplates_IncludeNothingOfTheToolkit()
    {
        foreach (string name in KernelHeaders.Names)
            Assert.DoesNotContain("#include <", KernelHeaders.Closure(name)[^1].Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sm_80", 8, 0)]
    [InlineData("sm_90a", 9, 0)]
    [InlineData("sm_90", 9, 0)]
    public void Parse_ATestedArchitecture_IsFound(string name, int major, int minor)
    {
        GpuArchitecture architecture = GpuArchitecture.Parse(name);

        Assert.Equal((major, minor), (architecture.Major, architecture.Minor));
    }

    [Fact]
    public void Parse_AnotherArchitecture_NamesTheTestedOnes() =>
        Assert.Contains("sm_86", Assert.Throws<ArgumentException>(() => GpuArchitecture.Parse("sm_75")).Message, StringComparison.Ordinal);
}
