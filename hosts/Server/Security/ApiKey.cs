using System.Security.Cryptography;
using System.Text;

namespace Ernie.Server.Security;

/// <summary>One of the server's keys.</summary>
/// <param name="Name">Whose it is; null for a key without a name.</param>
/// <param name="Hash">SHA-256 of the key. Hashes have one length, so that comparing them tells nothing about a key's own.</param>
internal sealed record ApiKey(string? Name, byte[] Hash)
{
    /// <summary>The hash as text, which tells callers apart without telling their keys.</summary>
    public string Fingerprint { get; } = Convert.ToHexStringLower(Hash);

    /// <summary>Reads <c>name=key</c> or a key alone.</summary>
    /// <remarks>
    /// A name is letters, digits, dots, dashes and underscores. What follows it is more than the equals signs that Base64 ends
    /// with, so that <c>c2VjcmV0==</c> is a key without a name.
    /// </remarks>
    public static ApiKey Parse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        bool isNamed = equals > 0 && text.AsSpan(equals).ContainsAnyExcept('=')
            && !text.AsSpan(0, equals).ContainsAnyExcept(s_nameCharacters);
        return isNamed ? new ApiKey(text[..equals], HashOf(text[(equals + 1)..])) : new ApiKey(null, HashOf(text));
    }

    /// <summary>The hash of what a caller shows.</summary>
    public static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>Whether a caller's hash is this key's, in a time that tells nothing.</summary>
    public bool Matches(byte[] hash) => CryptographicOperations.FixedTimeEquals(hash, Hash);

    private static readonly System.Buffers.SearchValues<char> s_nameCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
}
