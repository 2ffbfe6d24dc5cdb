namespace Ernie.Execution;

/// <summary>Whether and why a row's sequence has ended, by the last token that its step drew.</summary>
public enum RowEnd
{
    /// <summary>The executor does not say; the caller finds out.</summary>
    Undecided = -1,

    /// <summary>It has not.</summary>
    GoesOn = 0,

    /// <summary>The token is one of <see cref="DeviceSlot.StopTokens"/>, and more than min tokens have been generated.</summary>
    StopToken = 1,

    /// <summary>It has <see cref="DeviceSlot.MaxLength"/> tokens.</summary>
    MaxLength = 2,
}
