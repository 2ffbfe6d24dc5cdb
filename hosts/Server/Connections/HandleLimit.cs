using System.Globalization;
using Ernie.Hosting.Options;

namespace Ernie.Server.Connections;

/// <summary>How many handles (files, sockets) the process may have open, of Linux' <c>/proc</c>.</summary>
/// <param name="Soft">The limit in force.</param>
/// <param name="Hard">What the soft one may be raised to. The runtime raises it as it starts; the two differ only where it could not.</param>
/// <remarks>At the limit .NET cannot load an assembly or start a thread, and ends the process.</remarks>
internal sealed record HandleLimit(long Soft, long Hard)
{
    /// <summary>
    /// Handles kept for what is opened beside connections: files of the model and its cache, plugins, devices, logs.
    /// </summary>
    public const int HeadRoom = 128;

    /// <summary>Connections below which serving makes no sense.</summary>
    public const int LeastConnections = 32;

    // A server of the embedded model has some 220 handles open when it listens, most of them assemblies.
    private const int LeastHandles = 400;

    /// <summary>Reads the limit; null where the system does not say.</summary>
    public static HandleLimit? Read()
    {
        const string Limits = "/proc/self/limits";
        const string Title = "Max open files";
        if (!File.Exists(Limits) || File.ReadLines(Limits).FirstOrDefault(text => text.StartsWith(Title, StringComparison.Ordinal)) is not { } line)
            return null;
        string[] columns = line[Title.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return new HandleLimit(Number(columns[0]), Number(columns[1]));
    }

    /// <summary>Handles that are open; 0 where the system does not say.</summary>
    public static int CountOpen()
    {
        const string Handles = "/proc/self/fd";
        return Directory.Exists(Handles) ? Directory.EnumerateFileSystemEntries(Handles).Count() : 0;
    }

    /// <summary>Checks, before anything is loaded, that there are handles to load it.</summary>
    /// <exception cref="OptionException">Too few.</exception>
    public static void RequireEnough()
    {
        if (Read() is { Soft: < LeastHandles } limit)
            throw limit.TooLow($"the server needs {LeastHandles} at least, and one for each connection beyond {LeastConnections}");
    }

    /// <summary>Connections that the limit leaves, now that the model is loaded.</summary>
    /// <exception cref="OptionException">Too few.</exception>
    public int RoomForConnections(int open)
    {
        long room = Soft - open - HeadRoom;
        return room >= LeastConnections
            ? (int)Math.Min(room, int.MaxValue)
            : throw TooLow($"with {open} open and {HeadRoom} kept free it leaves {Math.Max(0, room)} connections, and {LeastConnections} are the least");
    }

    private OptionException TooLow(string reason) => new(
        $"The limit of open files is {Soft} (hard limit {Hard}): {reason}. Raise it: 'ulimit -n 4096' in the shell, LimitNOFILE= in a systemd unit, --ulimit nofile= in docker run.");

    private static long Number(string text) => text == "unlimited" ? long.MaxValue : long.Parse(text, CultureInfo.InvariantCulture);
}
