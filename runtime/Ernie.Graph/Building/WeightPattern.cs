using System.Globalization;

namespace Ernie.Graph;

/// <summary>A row of a model's weight table: one tensor, or one per layer, or one per layer and expert.</summary>
/// <param name="Pattern">Name in the checkpoint with <c>{layer}</c> and <c>{expert}</c> where their numbers go.</param>
/// <param name="Rows">First dimension.</param>
/// <param name="Columns">Second dimension, or null for a vector.</param>
public sealed record WeightPattern(string Pattern, int Rows, int? Columns = null)
{
    /// <summary>The tensor of a pattern without numbers.</summary>
    public TensorReference Tensor => new(Pattern, Rows, Columns);

    /// <summary>The tensor of a layer.</summary>
    /// <param name="layer">Zero-based.</param>
    public TensorReference At(int layer) => new(Fill(Pattern, "{layer}", layer), Rows, Columns);

    /// <summary>The tensor of an expert.</summary>
    /// <param name="layer">Zero-based.</param>
    /// <param name="expert">Zero-based.</param>
    public TensorReference At(int layer, int expert) => new(Fill(Fill(Pattern, "{layer}", layer), "{expert}", expert), Rows, Columns);

    private static string Fill(string pattern, string place, int number) =>
        pattern.Replace(place, number.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
}
