using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Checks what must hold between passes: every value is defined before it is read, and every buffer is written before it is read.</summary>
public static class LoweringVerifier
{
    /// <summary>Checks a lowered graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="pass">The pass that made it.</param>
    /// <exception cref="InvalidOperationException">A pass broke a rule: a mistake in it, not in the model.</exception>
    public static void ThrowIfInvalid(LoweredGraph graph, string pass)
    {
        ArgumentNullException.ThrowIfNull(graph);
        HashSet<ValueId> defined = [];
        foreach (KernelOperation operation in graph.Operations)
        {
            foreach (ValueId input in operation.Inputs)
            {
                // Rotation tables are constants, which FoldEpilogues takes out.
                if (!defined.Contains(input))
                    throw new InvalidOperationException($"{pass} left '{operation}', which reads {input} before it is defined.");
            }

            foreach (ValueId output in operation.Outputs)
            {
                if (!defined.Add(output))
                    throw new InvalidOperationException($"{pass} left two operations that define {output}.");
            }
        }

        if (graph.Program is { } program)
            CheckBuffers(program, pass);
    }

    private static void CheckBuffers(KernelProgram program, string pass)
    {
        foreach (ProgramRange range in program.Ranges)
        {
            HashSet<string> written = [.. KernelBuffers.BroughtByTheExecutor];
            foreach (Launch launch in range.Launches.Concat(program.Head[^1].Launches))
            {
                foreach (BufferOperand operand in launch.Operands.OfType<BufferOperand>().Where(operand => operand.Reads))
                {
                    if (!written.Contains(operand.Buffer))
                        throw new InvalidOperationException($"{pass} left {launch.Kernel.Name} of '{launch.Operation}', which reads buffer {operand.Buffer} before it is written, in steps of up to {range.MostRows} tokens.");
                }

                written.UnionWith(launch.Operands.OfType<BufferOperand>().Where(operand => operand.Writes).Select(operand => operand.Buffer));
            }
        }
    }
}
