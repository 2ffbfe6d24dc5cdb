using Ernie.Sampling;

namespace Ernie.Engine.Tests.Fakes;

/// <summary>A sampler whose draw is a function.</summary>
internal sealed class DelegateSampler(string name, DelegateSampler.DrawFunction draw, SamplerNeeds needs = SamplerNeeds.None) : ISampler
{
    public delegate int DrawFunction(ref SamplingRow row);

    public string Name => name;

    public int ParameterBytes => 0;

    public SamplerNeeds Needs => needs;

    public int ScratchBytes => 16;

    public DeviceSnippet? Device => null;

    public void WriteParameters(SamplingOptions options, Span<byte> destination)
    {
        if (options.Extra?.ContainsKey("refuse") == true)
        {
            throw new ArgumentException("'refuse' is not a parameter.");
        }
    }

    public int Sample(ref SamplingRow row) => draw(ref row);
}
