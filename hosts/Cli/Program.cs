using Ernie.Cli;
using Ernie.Cli.Hosting;

using var stopping = new CancellationTokenSource();
Console.CancelKeyPress += (_, signal) =>
{
    // The first Ctrl+C ends the command in order; a second one ends the process.
    signal.Cancel = !stopping.IsCancellationRequested;
    stopping.Cancel();
};
Console.OutputEncoding = System.Text.Encoding.UTF8;
var console = new CommandConsole(Console.In, Console.Out, Console.Error, Console.IsInputRedirected, Console.IsOutputRedirected);
return await new CommandLine(console, ModelSession.OpenAsync).RunAsync(args, stopping.Token);
