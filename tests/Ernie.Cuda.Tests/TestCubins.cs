using Ernie.Cuda.Compilation;
using Ernie.Testing;

namespace Ernie.Cuda.Tests;

/// <summary>
/// Kernels that earlier runs compiled, in <c>artifacts/cubins</c>: some six hundred take a minute and a half on two cores, and most runs change few of
/// them. Cubins are named by all that decides their bytes, and keep the registers and the local memory that tests look at.
/// </summary>
internal static class TestCubins
{
    // About 150 MB; what the present templates need is a sixth of it.
    private const int MostFiles = 4000;

    private static readonly Lazy<CubinCache> s_cache = new(Open);

    public static CubinCache Cache => s_cache.Value;

    // Texts that are no longer compiled would pile up: the older half goes, and what was still wanted comes back by being compiled.
    private static CubinCache Open()
    {
        DirectoryInfo folder = Directory.CreateDirectory(Path.Combine(SharedFixtures.RepositoryRoot, "artifacts", "cubins"));
        FileInfo[] files = folder.GetFiles();
        if (files.Length > MostFiles)
        {
            foreach (FileInfo file in files.OrderByDescending(file => file.LastWriteTimeUtc).Skip(MostFiles / 2))
                file.Delete();
        }

        return new CubinCache(folder.FullName);
    }
}
