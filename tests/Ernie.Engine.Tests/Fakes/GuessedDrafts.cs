using Ernie.Engine.Drafting;

namespace Ernie.Engine.Tests.Fakes;

/// <summary>Guesses the greedy continuation of <see cref="PureModel"/>, and every third token wrongly. Allocates nothing.</summary>
internal sealed class GuessedDrafts(int maxDrafts, int vocabulary) : IDraftSource
{
    private readonly float[] _logits = new float[vocabulary];

    public int MaxDrafts => maxDrafts;

    public int Propose(ReadOnlySpan<int> tokens, Span<int> drafts)
    {
        ulong hash = PureModel.Hash(tokens);
        for (int i = 0; i < drafts.Length; i++)
        {
            PureModel.Logits(hash, _logits);
            int best = 0;
            for (int token = 1; token < vocabulary; token++)
            {
                best = _logits[token] > _logits[best] ? token : best;
            }

            drafts[i] = hash % 3 == 0 ? (best + 1) % vocabulary : best;
            hash = PureModel.Hash(hash, drafts[i]);
        }

        return drafts.Length;
    }
}
