return await Ernie.Server.ServerProgram.RunAsync(args, Console.Out, Console.Error);
