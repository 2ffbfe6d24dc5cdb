namespace Ernie.Hosting.Options;

/// <summary>Heading under which <c>--help</c> lists an option, in the order of the listing.</summary>
public enum OptionGroup
{
    /// <summary>Options of the command itself.</summary>
    Command,

    /// <summary>Address, keys, limits of the front end.</summary>
    Server,

    /// <summary>Which model, from where, in which precision.</summary>
    Model,

    /// <summary>Sequences, tokens, memory.</summary>
    Capacity,

    /// <summary>How tokens are drawn.</summary>
    Sampling,

    /// <summary>Where the model runs.</summary>
    Devices,

    /// <summary>What is loaded besides the runtime.</summary>
    Plugins,

    /// <summary>Flags of FastDeploy and vLLM that have no meaning here.</summary>
    Compatibility,
}
