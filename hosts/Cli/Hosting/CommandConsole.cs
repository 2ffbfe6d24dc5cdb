namespace Ernie.Cli.Hosting;

/// <summary>Where a command reads and writes.</summary>
/// <param name="Input">Standard input.</param>
/// <param name="Output">Results.</param>
/// <param name="Error">Progress and failures: never part of a result.</param>
/// <param name="InputRedirected">Whether the input is no terminal.</param>
/// <param name="OutputRedirected">Whether the output is no terminal.</param>
internal sealed record CommandConsole(TextReader Input, TextWriter Output, TextWriter Error, bool InputRedirected, bool OutputRedirected);
