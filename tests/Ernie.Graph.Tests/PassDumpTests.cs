namespace Ernie.Graph.Tests;

public sealed class PassDumpTests
{
    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("kernels", false)]
    [InlineData("passes", true)]
    [InlineData("kernels, Passes", true)]
    public void DumpFromEnvironment_Variable_AsksForTheDump(string? value, bool isAsked)
    {
        string? before = Environment.GetEnvironmentVariable(PassRunner.DumpVariable);
        try
        {
            Environment.SetEnvironmentVariable(PassRunner.DumpVariable, value);

            Assert.Equal(isAsked, PassRunner.DumpFromEnvironment() is not null);
        }
        finally
        {
            Environment.SetEnvironmentVariable(PassRunner.DumpVariable, before);
        }
    }
}
