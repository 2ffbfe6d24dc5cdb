namespace Ernie.Generation;

/// <summary>How the hidden states of a prompt's positions become one.</summary>
public enum PromptPooling
{
    /// <summary>Not at all: tokens are wanted.</summary>
    None,

    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>The last position's.</summary>
    Last,
}
