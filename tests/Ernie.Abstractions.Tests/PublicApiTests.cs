using Ernie.Plugins;
using Ernie.Testing;

namespace Ernie.Abstractions.Tests;

public class PublicApiTests
{
    /// <summary>A difference is a change of the contract: raise <see cref="PluginContract.Version"/> when plugins built before it no longer fit.</summary>
    [Fact]
    public void Contract_PublicMembers_AreTheReviewedOnes() => Snapshot.Match(PublicApi.Describe(typeof(IPlugin).Assembly));
}
