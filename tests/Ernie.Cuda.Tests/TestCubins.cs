using System.Security.Cryptography;
using System.Text;
using Ernie.Cuda.Compilation;
using Ernie.Kernels;
using Ernie.Testing;

namespace Ernie.Cuda.Tests;

/// <summary>
/// Kernels that earlier runs compiled, in <c>artifacts/cubins</c>: some six hundred take a minute and a half on two cores, and most runs change none of
/// them. Cubins are named by all that decides their bytes, and keep the registers and the local memory that tests look at.
/// </summary>
internal static class TestCubins
{
    private static readonly Lazy<CubinCache> s_cache = new(Open);

    public static CubinCache Cache => s_cache.Value;

    // One folder per state of the templates; those of other states are dropped, or they would pile up.
    private static CubinCache Open()
    {
        StringBuilder texts = new();
        foreach (KernelHeader header in KernelHeaders.Closure(KernelHeaders.Names))
            texts.Append(header.Name).Append('\0').Append(header.Text).Append('\0');
        string state = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(texts.ToString())))[..16];
        DirectoryInfo root = Directory.CreateDirectory(Path.Combine(SharedFixtures.RepositoryRoot, "artifacts", "cubins"));
        foreach (DirectoryInfo other in root.EnumerateDirectories().Where(folder => folder.Name != state))
            other.Delete(recursive: true);
        return new CubinCache(Path.Combine(root.FullName, state));
    }
}
