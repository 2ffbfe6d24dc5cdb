namespace Ernie.Server.Tests;

/// <summary>Tests on the one real engine: one after the other, because they look at its pages.</summary>
[CollectionDefinition(Name)]
public sealed class TalesGroup : ICollectionFixture<TalesServer>
{
    public const string Name = "embedded model";
}
