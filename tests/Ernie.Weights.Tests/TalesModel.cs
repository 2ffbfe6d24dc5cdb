namespace Ernie.Weights.Tests;

/// <summary>Where the trained test model lies in the checkout.</summary>
internal static class TalesModel
{
    public static string Folder { get; } = FindFolder();

    public static string WeightsPath => Path.Combine(Folder, "model.safetensors");

    private static string FindFolder()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "models", "tales");
            if (File.Exists(Path.Combine(candidate, "model.safetensors")))
                return candidate;
        }
        throw new DirectoryNotFoundException("models/tales is not beside any folder above the tests.");
    }
}
