using System;
using Ernie.Sampling;

namespace TestPlugins;

/// <summary>Draws the first token. Compiled into every test plugin, so that each shows only what is wrong with it.</summary>
public class FirstTokenSampler(string name, int parameterBytes = 0, DeviceSnippet? device = null) : ISampler
{
    public string Name => name;

    public int ParameterBytes => parameterBytes;

    public DeviceSnippet? Device => device;

    public virtual void WriteParameters(SamplingOptions options, Span<byte> destination) => destination.Clear();

    public virtual int Sample(ref SamplingRow row) => 0;
}
