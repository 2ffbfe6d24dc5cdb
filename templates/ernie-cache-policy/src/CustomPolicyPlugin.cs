using Ernie.Plugins;
using Ernie.Template;

[assembly: ErniePlugin(typeof(CustomPolicyPlugin), PluginContract.Version)]

namespace Ernie.Template;

/// <summary>Entry of the plugin.</summary>
public sealed class CustomPolicyPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry) =>
        registry.AddCachePolicy(CustomPolicy.PolicyName, options => new CustomPolicy(options));
}
