using System.Globalization;

namespace Ernie.Tokenization.Jinja;

/// <summary>The attribute that filters take: a name, an index, or several joined by dots.</summary>
internal static class ItemPath
{
    /// <summary>Follows the path from an item; undefined where it ends.</summary>
    public static object? Get(object? item, object? path)
    {
        if (path is not TextValue text) return Attributes.GetItem(item, path);
        foreach (string part in text.Text.Split('.'))
        {
            object key = long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long index) ? index : TextValue.OfTemplate(part);
            item = Attributes.GetItem(item, key);
        }

        return item;
    }
}
