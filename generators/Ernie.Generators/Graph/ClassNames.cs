using System.Text;

namespace Ernie.Generators;

/// <summary>Names of generated classes.</summary>
public static class ClassNames
{
    /// <summary>The class of a model: <c>ernie-4.5-0.3b</c> becomes <c>Ernie45_0_3B</c>.</summary>
    /// <remarks>
    /// Parts between hyphens are joined by underscores, letters of parts with digits are capitals, and a part of digits and points alone is a
    /// version: it joins the part before it, without its points.
    /// </remarks>
    /// <param name="modelName">Any name.</param>
    public static string For(string modelName)
    {
        var name = new StringBuilder();
        foreach (string part in modelName.Split(['-', '_', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            bool isVersion = part.All(letter => char.IsDigit(letter) || letter == '.');
            if (isVersion && name.Length > 0)
            {
                name.Append(part.Replace(".", ""));
                continue;
            }

            name.Append(name.Length > 0 ? "_" : "");
            string word = part.Any(char.IsDigit) ? part.ToUpperInvariant() : char.ToUpperInvariant(part[0]) + part.Substring(1);
            name.Append([.. word.Select(letter => char.IsLetterOrDigit(letter) ? letter : '_')]);
        }

        if (name.Length == 0 || !char.IsLetter(name[0]))
        {
            name.Insert(0, "Model");
        }

        return name.ToString();
    }
}
