using Ernie.Plugins;
using Ernie.Sampling.Toolkit;
using Ernie.Testing;

namespace Ernie.Abstractions.Tests;

/// <summary>What plugins elsewhere are built against.</summary>
public class PublicApiTests
{
    /// <summary>A difference is a change of the contract: raise <see cref="PluginContract.Version"/> when plugins built before it no longer fit.</summary>
    [Fact]
    public void Contract_PublicMembers_AreTheReviewedOnes() => Snapshot.Match(PublicApi.Describe(typeof(IPlugin).Assembly));

    /// <summary>A plugin ships the toolkit that it was built against, so a difference is a matter for its author's next build alone.</summary>
    [Fact]
    public void Toolkit_PublicMembers_AreTheReviewedOnes() => Snapshot.Match(PublicApi.Describe(typeof(Truncation).Assembly));
}
