namespace Ernie.Engine.Looping;

/// <summary>What a caller asks of the loop.</summary>
internal enum LoopCommandKind
{
    /// <summary>End every request.</summary>
    Abort,

    /// <summary>Forget every cached prefix that is not in use.</summary>
    ResetCache,

    /// <summary>Answer when no request is left.</summary>
    Drain,
}

/// <summary>A command and where its answer goes.</summary>
/// <param name="Kind">What is asked.</param>
/// <param name="Answer">Completed by the loop; continuations run elsewhere.</param>
internal sealed record LoopCommand(LoopCommandKind Kind, TaskCompletionSource<int> Answer);
