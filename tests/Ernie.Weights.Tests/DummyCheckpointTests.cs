namespace Ernie.Weights.Tests;

public sealed class DummyCheckpointTests
{
    private static readonly DummyCheckpoint s_dummy = new();

    [Theory]
    [InlineData("model.embed_tokens.weight", new[] { -0.01287842f, -0.0179443359375f, 0.0013275146484375f, -0.025146484375f })]
    [InlineData("model.layers.0.self_attn.q_proj.weight", new[] { -0.005645752f, -0.0302734375f, 0.02490234375f, -0.003692627f })]
    public void Read_FirstElements_AreThePublishedCheckValues(string name, float[] expected)
    {
        CheckpointTensor tensor = s_dummy.Find(name, 64, 1024)!;
        var actual = new float[4];

        tensor.Read(0, actual);

        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(BFloat16Codec.Encode(expected[i]), BFloat16Codec.Encode(actual[i]));
    }

    [Theory]
    [InlineData("model.norm.weight")]
    [InlineData("model.embed_tokens.weight")]
    [InlineData("model.layers.3.mlp.up_proj.weight")]
    public void Read_AnyOffsetAndLength_GivesTheDefinedElements(string name)
    {
        CheckpointTensor tensor = s_dummy.Find(name, 1000)!;
        foreach (int first in (int[])[0, 1, 15, 16, 17, 500])
        {
            foreach (int length in (int[])[0, 1, 15, 16, 17, 33, 100])
            {
                var actual = new float[length];

                tensor.Read(first, actual);

                for (int i = 0; i < length; i++)
                    Assert.Equal(Define(name, (ulong)(first + i)), actual[i]);
            }
        }
    }

    [Fact]
    public void Read_PastTheEnd_IsRefused()
    {
        CheckpointTensor tensor = s_dummy.Find("model.norm.weight", 16)!;

        tensor.Read(15, new float[1]);

        Assert.Throws<ArgumentOutOfRangeException>(() => tensor.Read(15, new float[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => tensor.Read(-1, new float[1]));
    }

    // The definition, one element at a time, in the words of the format's description.
    private static float Define(string name, ulong i)
    {
        unchecked
        {
            ulong h = 14695981039346656037UL;
            foreach (char c in name)
                h = (h ^ c) * 1099511628211UL;
            ulong z = h + (i + 1) * 0x9E3779B97F4A7C15UL;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            z ^= z >> 31;
            float u = (z >> 40) * MathF.Pow(2, -23) - 1f;
            float value = name.Contains("norm", StringComparison.Ordinal) ? 1f + 0.1f * u
                : name.Contains("embed", StringComparison.Ordinal) ? 0.05f * u : 0.035f * u;
            return BFloat16Codec.Decode(BFloat16Codec.Encode(value));
        }
    }
}
