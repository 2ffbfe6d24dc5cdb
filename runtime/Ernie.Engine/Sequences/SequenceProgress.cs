namespace Ernie.Engine.Sequences;

/// <summary>How far a sequence has come. Changed by the loop alone.</summary>
internal sealed class SequenceProgress
{
    /// <summary>Begins at the end of the prompt, with nothing computed.</summary>
    /// <param name="prompt">The prompt's ids.</param>
    /// <param name="scratchBytes">Bytes that the sampler keeps.</param>
    public SequenceProgress(int[] prompt, int scratchBytes)
    {
        Saved = prompt;
        Length = prompt.Length;
        Scratch = new byte[scratchBytes];
    }

    /// <summary>Order of arrival; smaller came earlier.</summary>
    public long Arrival { get; set; }

    /// <summary>Whether it counts against the bound of the queue: from its submission to its first admission.</summary>
    public bool IsQueued { get; set; } = true;

    /// <summary>Whether it was admitted before.</summary>
    public bool WasAdmitted { get; set; }

    /// <summary>How often it lost its slot.</summary>
    public int Preemptions { get; set; }

    /// <summary>Whether it has lost its slot and waits for another.</summary>
    public bool IsPreempted { get; set; }

    /// <summary>Whether its reader has been sent anything.</summary>
    public bool FirstEventSent { get; set; }

    /// <summary>Tokens known to the host, prompt and output.</summary>
    public int Length { get; set; }

    /// <summary>Positions whose keys and values are computed or being computed; rejected drafts are taken off when their row is read.</summary>
    public int Computed { get; set; }

    /// <summary>Rows of steps in flight that belong to it.</summary>
    public int RowsInFlight { get; set; }

    /// <summary>Those of them that draw, each at least one token.</summary>
    public int DrawsInFlight { get; set; }

    /// <summary>Its tokens while it has no slot: the prompt, and after a preemption the output too.</summary>
    public int[] Saved { get; set; }

    /// <summary>The sampler's scratch block; survives preemptions.</summary>
    public byte[] Scratch { get; }
}
