namespace Ernie.Engine.Sampling;

/// <summary>A token drawn on the host.</summary>
/// <param name="Token">Token id.</param>
/// <param name="Logprob">Its log-probability under the model's raw distribution; 0 unless asked for.</param>
/// <param name="Rank">Its rank there, 1 for the most probable; 0 unless asked for.</param>
internal readonly record struct TokenDraw(int Token, float Logprob, int Rank);
