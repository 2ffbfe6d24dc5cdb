using Ernie.Tokenization.Jinja;

namespace Ernie.Tokenization.Tests.Jinja;

/// <summary>The search against .NET's own.</summary>
public sealed class TextSearchTests
{
    [Fact]
    public void Find_RandomTexts_FindsWhatDotNetFinds()
    {
        var random = new Random(11);
        for (int round = 0; round < 20_000; round++)
        {
            // Two letters, and parts around the length at which the way of searching changes.
            string part = Letters(random, random.Next(28, 38)), text = Letters(random, random.Next(0, 60));
            if (random.Next(2) == 0) text += part + Letters(random, random.Next(0, 40));
            if (random.Next(2) == 0) part = text.Length > 0 ? text[random.Next(text.Length)..] + new string('a', random.Next(2)) : part;
            if (part.Length == 0) continue;

            Assert.True(text.IndexOf(part, StringComparison.Ordinal) == Search(part, fromEnd: false).Find(text), $"round {round}: the first '{part}' in '{text}'");
            Assert.True(text.LastIndexOf(part, StringComparison.Ordinal) == Search(part, fromEnd: true).Find(text), $"round {round}: the last '{part}' in '{text}'");
        }
    }

    private static TextSearch Search(string part, bool fromEnd) => new(new RenderState(new TemplateLimits(), new Scope(null), DateTimeOffset.UnixEpoch), TextValue.OfTemplate(part), fromEnd);

    private static string Letters(Random random, int length) => string.Concat(Enumerable.Range(0, length).Select(_ => random.Next(6) == 0 ? 'b' : 'a'));
}
