using Ernie.Generation;
using Ernie.Hosting;
using Ernie.Text;

namespace Ernie.Server.Tests.Fakes;

internal sealed record FakeHost(FakeEngine Fake) : IHostContext
{
    public IEngine Engine => Fake;

    public ITokenizer Tokenizer { get; } = new FakeTokenizer();

    public IChatTemplate? ChatTemplate { get; init; } = new FakeTemplate();

    public GenerationDefaults Defaults { get; init; } = new()
    {
        Temperature = 0.8f,
        TopP = 0.8f,
        EndTokens = [FakeTokenizer.Eos, FakeTokenizer.Separator],
    };
}
