using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Refuses what no pattern took, and what does not follow the one residual that the kernels add to in its place.</summary>
/// <remarks>Changes nothing. It is a pass so that the list of passes says where in the order a graph is refused.</remarks>
public sealed class CheckResidual : ILoweringPass
{
    /// <inheritdoc/>
    public string Name => nameof(CheckResidual);

    /// <inheritdoc/>
    public LoweredGraph Run(LoweredGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ValueId? residual = null;
        bool isNormed = false;
        foreach (KernelOperation operation in graph.Operations)
        {
            switch (operation)
            {
                case { Node: EmbedNode embed } when residual is null:
                    residual = embed.Output;
                    break;
                case { Node: LinearNode linear, Epilogue: CacheEpilogue or SwiGluEpilogue or LogitsEpilogue }:
                    if (operation.Norm is null)
                        throw graph.Refuse(operation, "reads rows that are not normed", "a product of a norm of the residual");
                    if (linear.Input != residual)
                        throw graph.Refuse(operation, $"norms {linear.Input} after {residual} has taken its place", "a norm of the residual as the latest sum left it");
                    if (isNormed && operation.Epilogue is not LogitsEpilogue)
                        throw graph.Refuse(operation, $"norms {linear.Input} a second time", "one norm of each residual sum");
                    isNormed = true;
                    break;
                case { Node: LinearNode, Epilogue: ResidualEpilogue sum }:
                    CheckSum(graph, operation, sum, residual);
                    residual = sum.Sum;
                    isNormed = false;
                    break;
                case { Node: AttentionNode attention }:
                    if (graph.Producer(attention.Query)?.Epilogue is not CacheEpilogue)
                        throw graph.Refuse(operation, "has no product that writes its queries", "attention behind the product of its queries, keys and values");
                    break;
                case { Node: RmsNormNode norm } when norm.Output == graph.Graph.Hidden:
                    if (norm.Input != residual)
                        throw graph.Refuse(operation, $"norms {norm.Input} and not the last sum {residual}", "the norm of the last sum as hidden states");
                    break;
                default:
                    throw graph.Refuse(
                        operation, "is an operation that no kernel and no epilogue takes",
                        "an embedding, then layers of q+k+v, attention, output projection and sum, gate+up, SwiGLU, down projection and sum, then a norm and the head");
            }
        }

        if (graph.Producer(graph.Graph.Logits)?.Epilogue is not LogitsEpilogue || graph.Producer(graph.Graph.Hidden)?.Node is not RmsNormNode)
            throw new KernelPlanException($"'{graph.Graph.Shape.Name}' has no GPU kernels: its logits and hidden states are not a head's and a norm's. Taken is a norm of the last sum, which the head reads.");

        return graph;
    }

    private static void CheckSum(LoweredGraph graph, KernelOperation operation, ResidualEpilogue sum, ValueId? residual)
    {
        if (operation.Norm is not null)
            throw graph.Refuse(operation, "adds a product of normed rows to the residual", "attention or SwiGLU between the norm and the sum");
        if (sum.Residual != residual)
            throw graph.Refuse(operation, $"adds to {sum.Residual} after {residual} has taken its place", "a sum with the residual as the latest sum left it");
        if (graph.Producer(operation.Node.Inputs[0]) is not ({ Node: AttentionNode } or { Epilogue: SwiGluEpilogue }))
            throw graph.Refuse(operation, "reads neither attention nor SwiGLU", "a product of what attention or SwiGLU gives");
        if (graph.Readers(operation.Node.Inputs[0]).Length != 1)
            throw graph.Refuse(operation, $"reads {operation.Node.Inputs[0]}, which others read too", "a product that alone reads what attention or SwiGLU gives");
    }
}
