namespace Ernie.Server.Api;

/// <summary>The assistant's message. <c>refusal</c> is a required key.</summary>
internal sealed record ChatAnswer(string Role, string Content)
{
    public string? Refusal { get; }
}
