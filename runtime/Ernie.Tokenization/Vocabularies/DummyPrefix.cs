namespace Ernie.Tokenization.Vocabularies;

/// <summary>When a text gets a space in front.</summary>
internal enum DummyPrefix
{
    /// <summary>Never.</summary>
    None,

    /// <summary>Every run between special tokens does.</summary>
    EveryRun,

    /// <summary>Every run that does not begin with a space does.</summary>
    EveryRunWithoutSpace,

    /// <summary>Only a run at the start of the text, unless it begins with a space.</summary>
    FirstRunWithoutSpace,
}
