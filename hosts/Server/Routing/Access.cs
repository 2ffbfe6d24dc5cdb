namespace Ernie.Server.Routing;

/// <summary>Who may call an endpoint where keys are set.</summary>
internal enum Access
{
    /// <summary>Whoever holds an API key.</summary>
    Key,

    /// <summary>Everybody: probes, version, metrics and the page. Orchestrators have no keys.</summary>
    Open,

    /// <summary>Operators: the admin key where one is set, else an API key.</summary>
    Control,
}
