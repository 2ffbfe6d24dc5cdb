using Ernie.Graph;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;

namespace Ernie.Hosting.Backends;

/// <summary>How many pages of keys and values, and the length that they allow.</summary>
/// <param name="PageCount">Pages.</param>
/// <param name="MaxModelLength">Tokens of prompt and output together.</param>
public readonly record struct CacheSize(int PageCount, int MaxModelLength)
{
    /// <summary>Tokens in a page.</summary>
    public const int TokensPerPage = 64;

    /// <summary>Plans the cache within a budget.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="options">What the operator asks for.</param>
    /// <param name="pageBytes">Bytes of a page over all layers.</param>
    /// <param name="budgetBytes">Memory for the cache.</param>
    /// <param name="freeBytes">Memory that is free, within which the operator may ask for any number of pages.</param>
    /// <exception cref="OptionException">The length asked for is beyond the model or the memory; the message says what fits.</exception>
    public static CacheSize Plan(ModelShape shape, OptionSet options, long pageBytes, long budgetBytes, long freeBytes = long.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(options);
        CheckLength(shape, options);
        if (options.Get(CapacityRows.PageCount) is { } asked && asked > freeBytes / pageBytes)
        {
            throw new OptionException(
                $"--{CapacityRows.PageCount.Name} is {asked}: so many pages of {TokensPerPage} tokens take {asked * pageBytes >> 20} MiB, and {freeBytes >> 20} MiB of memory are free. {freeBytes / pageBytes} pages would fit.");
        }

        int length = options.Get(CapacityRows.MaxModelLength) ?? shape.MaxPosition;
        long needed = (long)options.Get(CapacityRows.MaxSequences) * ((length + TokensPerPage - 1) / TokensPerPage);
        int pages = options.Get(CapacityRows.PageCount) ?? (int)Math.Min(Math.Min(budgetBytes / pageBytes, needed), int.MaxValue);
        if (pages < 1)
        {
            throw new OptionException(
                $"There is no memory for keys and values: {budgetBytes >> 20} MiB are left beside the weights and a page of {TokensPerPage} tokens takes {pageBytes / 1024.0 / 1024.0:F2} MiB.");
        }

        CheckHeld(pages, options);
        return new CacheSize(pages, (int)Math.Min(length, (long)pages * TokensPerPage));
    }

    /// <summary>Refuses a length beyond the model.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="options">What the operator asks for.</param>
    /// <exception cref="OptionException">The length asked for is beyond the model.</exception>
    public static void CheckLength(ModelShape shape, OptionSet options)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Get(CapacityRows.MaxModelLength) is { } wanted && wanted > shape.MaxPosition)
        {
            throw new OptionException($"--max-model-len is {wanted}; {shape.Name} takes {shape.MaxPosition} tokens at most.");
        }
    }

    /// <summary>Refuses a length beyond the pages.</summary>
    /// <param name="pageCount">Pages of keys and values.</param>
    /// <param name="options">What the operator asks for.</param>
    /// <exception cref="OptionException">The length asked for is beyond the pages; the message says what fits.</exception>
    public static void CheckHeld(int pageCount, OptionSet options)
    {
        ArgumentNullException.ThrowIfNull(options);
        long held = (long)pageCount * TokensPerPage;
        if (options.Get(CapacityRows.MaxModelLength) is { } wanted && wanted > held)
        {
            string remedy = options.IsSet(CapacityRows.PageCount)
                ? $"Use {held} at most, or raise --{CapacityRows.PageCount.Name} to {(wanted + TokensPerPage - 1) / TokensPerPage}."
                : $"Use {held} at most, a smaller model, or more memory.";
            throw new OptionException($"--max-model-len is {wanted}; {pageCount} pages of keys and values hold {held} tokens. {remedy}");
        }
    }
}
