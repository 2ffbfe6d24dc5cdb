namespace Ernie.Cpu.Attention;

/// <summary>One layer's pages of keys and values, whatever a number is stored as.</summary>
internal interface IPageStore
{
    /// <summary>Copies a page's keys and values over another's.</summary>
    /// <param name="from">Index of the page to read.</param>
    /// <param name="to">Index of the page to overwrite.</param>
    void Copy(int from, int to);
}
