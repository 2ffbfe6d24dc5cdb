namespace Ernie.Server.Generation;

/// <summary>A checked request, whichever endpoint it came through.</summary>
internal interface IGenerationRequest
{
    /// <summary>What to generate.</summary>
    GenerationSettings Settings { get; }

    /// <summary>The prompts, in order.</summary>
    IReadOnlyList<PromptInput> Prompts { get; }
}
