using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Ernie.Generators.Tests;

/// <summary>An additional file in memory.</summary>
internal sealed class TestConfig(string path, string text) : AdditionalText
{
    public override string Path => path;

    public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
}
