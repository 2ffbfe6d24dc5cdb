using System.Globalization;

namespace Ernie.Tokenization.Jinja;

/// <summary>The attribute that filters take: a name, an index, or several joined by dots.</summary>
internal static class ItemPath
{
    /// <summary>Follows the path from an item, and counts it; undefined where it ends.</summary>
    public static object? Get(RenderState state, object? item, object? path)
    {
        if (path is not TextValue text) return Attributes.GetItem(state, item, path);
        state.SpendText(text.Text.Length);
        foreach (string part in text.Text.Split('.'))
        {
            object key = long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long index) ? index : TextValue.OfTemplate(part);
            item = Attributes.GetItem(state, item, key);
        }

        return item;
    }
}
