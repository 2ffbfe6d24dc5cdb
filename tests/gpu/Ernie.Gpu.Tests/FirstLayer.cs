using Ernie.Graph;

namespace Ernie.Gpu.Tests;

/// <summary>The products of a dense graph's first layer.</summary>
internal sealed record FirstLayer(LinearWeight QueryKeyValue, LinearWeight Output, LinearWeight GateUp, LinearWeight Down)
{
    public static FirstLayer Of(ModelGraph graph)
    {
        LinearWeight[] linears = [.. graph.Linears.Take(4)];
        return new FirstLayer(linears[0], linears[1], linears[2], linears[3]);
    }
}
