using System.Net;
using System.Net.Sockets;
using Ernie.Hosting.Options;

namespace Ernie.Server.Hosting;

/// <summary>The address to listen on.</summary>
internal static class ListenAddress
{
    /// <summary>Tries the port before a model is loaded for it: a large one takes a while.</summary>
    /// <exception cref="OptionException">Another program has the port, or this one may not.</exception>
    public static void RequireFree(ServerOptions options)
    {
        IPAddress address = options.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(options.Host);
        using var probe = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(address, options.Port));
        }
        catch (SocketException exception)
        {
            throw new OptionException(
                $"--port is {options.Port}, which cannot be listened on at {options.Host}: {exception.Message}. Choose another; 0 takes any that is free.");
        }
    }
}
