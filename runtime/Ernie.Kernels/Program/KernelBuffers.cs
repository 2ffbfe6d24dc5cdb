namespace Ernie.Kernels;

/// <summary>Names of the memory that launches work on.</summary>
public static class KernelBuffers
{
    /// <summary>The step's input: header, rows, tokens, tiles. The executor brings it.</summary>
    public const string Step = "step";

    /// <summary>[slots, pages per slot], kept from step to step. The executor brings it.</summary>
    public const string PageTable = "page_table";

    /// <summary>[slots] what each slot drew last. The executor brings it.</summary>
    public const string LastToken = "last_token";

    /// <summary>Counters of blocks that share a row, zero between launches. The executor brings it.</summary>
    public const string Arrivals = "arrivals";

    /// <summary>Results of parts of rows that wait to be merged; a kernel's own.</summary>
    public const string Partials = "partials";

    /// <summary>[tokens] position and slot.</summary>
    public const string Places = "places";

    /// <summary>f32 [tokens, hidden].</summary>
    public const string Residual = "residual";

    /// <summary>bf16 [tokens, hidden]: normed rows, or the residual times the next norm's gain.</summary>
    public const string Normalized = "normalized";

    /// <summary>f32 [hidden / 64, square stride], sums of squares of the residual.</summary>
    public const string Squares = "squares";

    /// <summary>e4m3 [tokens, hidden], like <see cref="Normalized"/>.</summary>
    public const string NormalizedCodes = "normalized_codes";

    /// <summary>f32 [hidden / 128, square stride], factors of <see cref="NormalizedCodes"/>.</summary>
    public const string NormalizedFactors = "normalized_factors";

    /// <summary>e4m3 [tokens, query or intermediate width]: what attention gave, then activations.</summary>
    public const string WideCodes = "wide_codes";

    /// <summary>f32 [width / 128, square stride], factors of <see cref="WideCodes"/>.</summary>
    public const string WideFactors = "wide_factors";

    /// <summary>bf16 [tokens, query width], rotated.</summary>
    public const string Query = "query";

    /// <summary>bf16 [tokens, key/value width] on its way to an 8-bit cache.</summary>
    public const string NewKeys = "new_keys";

    /// <summary>Like <see cref="NewKeys"/>.</summary>
    public const string NewValues = "new_values";

    /// <summary>bf16 [tokens, query width].</summary>
    public const string Attention = "attention";

    /// <summary>bf16 [tokens, intermediate].</summary>
    public const string Activation = "activation";

    /// <summary>f32 [tokens, hidden], for callers that ask.</summary>
    public const string Hidden = "hidden";

    /// <summary>f32 [logit rows, vocabulary].</summary>
    public const string Logits = "logits";

    /// <summary>Those that are there before a step begins.</summary>
    public static IReadOnlyList<string> BroughtByTheExecutor { get; } = [Step, PageTable, LastToken, Arrivals, Partials];

    /// <summary>Those that are read after a step's last launch.</summary>
    public static IReadOnlyList<string> ReadAfterwards { get; } = [Residual, Hidden, Logits, Places];
}
