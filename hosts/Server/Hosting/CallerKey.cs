namespace Ernie.Server.Hosting;

/// <summary>The API key that a request showed, as a hash: what callers are told apart by.</summary>
internal static class CallerKey
{
    private static readonly object s_item = new();

    /// <summary>Notes the hash of the key.</summary>
    public static void Set(HttpContext context, byte[] hash) => context.Items[s_item] = Convert.ToHexStringLower(hash);

    /// <summary>The hash of the key; null where none was asked for.</summary>
    public static string? Of(HttpContext context) => context.Items.TryGetValue(s_item, out object? key) ? (string?)key : null;
}
