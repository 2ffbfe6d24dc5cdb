namespace Ernie.Server.Hosting;

/// <summary>The forms in which FastDeploy and vLLM are launched.</summary>
internal static class LaunchLine
{
    /// <summary>Takes <c>serve</c> and the model that may follow it, as in <c>fastdeploy serve --model M</c> and <c>vllm serve M</c>, for the option that they stand for.</summary>
    /// <param name="args">The program's arguments.</param>
    public static IReadOnlyList<string> Normalize(IReadOnlyList<string> args)
    {
        if (args is not ["serve", ..])
            return args;
        return args is [_, { Length: > 0 } model, ..] && model[0] != '-' ? ["--model", .. args.Skip(1)] : [.. args.Skip(1)];
    }
}
