namespace Ernie.Engine.Scheduling;

/// <summary>What became of a waiting sequence.</summary>
internal enum AdmissionOutcome
{
    /// <summary>It runs.</summary>
    Admitted,

    /// <summary>A running sequence is about to fill a page that this one needs too; it waits for that one.</summary>
    SharesWithRunning,

    /// <summary>Its whole prompt does not fit into what is left of this step, and prompts are not split.</summary>
    StepIsFull,

    /// <summary>Its group has half of the slots, and others wait.</summary>
    HasItsShare,

    /// <summary>There are not enough pages.</summary>
    NoRoom,
}
