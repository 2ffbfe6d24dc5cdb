using System.Globalization;
using System.Text;
using Ernie.Graph;
using Ernie.Testing;
using Ernie.Testing.Gpu;

namespace Ernie.Kernels.Tests;

/// <summary>The launches of steps of many sizes, kernel by kernel in the order of their first launch.</summary>
public sealed class StepLaunchesTests
{
    [Fact]
    public void Steps_OfEverySize_LaunchWhatWasReviewed() => Snapshot.MatchSet(
        from model in (string[])["tales", "ernie-4.5-0.3b"]
        from recipe in DenseGraphs.Recipes
        from architecture in (string[])["sm_80", "sm_90a"]
        select ($"{model}.{recipe.Key}.{architecture}", Print(model, recipe.Value, architecture)));

    private static string Print(string model, QuantizationRecipe recipe, string architecture)
    {
        ModelShape shape = model == "tales" ? DenseGraphs.Tales : DenseGraphs.Base;
        KernelPlan plan = KernelPlanner.Create(DenseGraphs.Create(shape, recipe), DeviceProfile.Typical(GpuArchitecture.Parse(architecture)));
        StringBuilder text = new();
        foreach (int batch in (int[])[1, 8, 9, 64, 256])
            Append(text, $"{batch} sequences of 1024 tokens", StepListing.Decode(plan, batch, 1024));
        foreach (int tokens in (int[])[2, 8, 9, 64, 256, 257, 4096])
            Append(text, $"a prompt of {tokens} tokens", StepListing.Prefill(plan, tokens));
        return text.ToString();
    }

    private static void Append(StringBuilder text, string title, IReadOnlyList<StepLaunch> launches)
    {
        text.Append(title).Append('\n');
        foreach (IGrouping<(string Name, int Grid, long Bytes, double Flops), StepLaunch> group in launches.GroupBy(one => (one.Launch.Kernel.Name, one.Grid.Blocks, one.Bytes, one.Operations)))
        {
            text.Append(CultureInfo.InvariantCulture, $"  {group.Count()} x {group.Key.Name}, {group.Key.Grid} blocks, {group.Key.Bytes} bytes, {group.Key.Flops:F0} operations\n");
        }
    }
}
