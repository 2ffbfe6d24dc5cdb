using System.Runtime.InteropServices;

namespace Ernie.Engine.Sampling;

/// <summary>Which tokens a sequence has seen and how often it generated each; kept only for requests that need it.</summary>
/// <remarks>Native memory, reserved at a slot's first use and reused; clearing touches only the tokens that were seen.</remarks>
internal sealed unsafe class TokenHistory : IDisposable
{
    private readonly int _vocabularySize;
    private int* _counts;
    private byte* _seen;
    private int* _distinct;
    private int _distinctCount;

    /// <summary>Makes an empty history that owns no memory yet.</summary>
    /// <param name="vocabularySize">Token ids.</param>
    public TokenHistory(int vocabularySize)
    {
        _vocabularySize = vocabularySize;
    }

    /// <summary>[vocabulary] how often each token was generated.</summary>
    public ReadOnlySpan<int> Counts => new(_counts, _counts is null ? 0 : _vocabularySize);

    /// <summary>Tokens seen in prompt or output, each once.</summary>
    public ReadOnlySpan<int> Distinct => new(_distinct, _distinctCount);

    /// <summary>Starts over with a sequence's tokens.</summary>
    /// <param name="tokens">Prompt and output.</param>
    /// <param name="promptLength">How many are prompt.</param>
    public void Fill(ReadOnlySpan<int> tokens, int promptLength)
    {
        if (_counts is null)
        {
            _counts = (int*)NativeMemory.AllocZeroed((nuint)_vocabularySize, sizeof(int));
            _seen = (byte*)NativeMemory.AllocZeroed((nuint)_vocabularySize, sizeof(byte));
            _distinct = (int*)NativeMemory.Alloc((nuint)_vocabularySize, sizeof(int));
        }

        Clear();
        for (int i = 0; i < tokens.Length; i++)
        {
            Add(tokens[i], i >= promptLength);
        }
    }

    /// <summary>Adds a token.</summary>
    /// <param name="token">Token id.</param>
    /// <param name="generated">Whether it is output.</param>
    public void Add(int token, bool generated)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)token, (uint)_vocabularySize);
        if (_seen[token] == 0)
        {
            _seen[token] = 1;
            _distinct[_distinctCount++] = token;
        }

        if (generated)
        {
            _counts[token]++;
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        for (int i = 0; i < _distinctCount; i++)
        {
            _counts[_distinct[i]] = 0;
            _seen[_distinct[i]] = 0;
        }

        _distinctCount = 0;
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        NativeMemory.Free(_counts);
        NativeMemory.Free(_seen);
        NativeMemory.Free(_distinct);
        _counts = null;
        _seen = null;
        _distinct = null;
        _distinctCount = 0;
    }
}
