using System.Net;
using Ernie.Server.Security;

namespace Ernie.Server.Tests.Transport;

public sealed class KeyTests
{
    [Theory]
    [InlineData("Authorization", "Bearer secret", HttpStatusCode.OK)]
    [InlineData("Authorization", "bearer  secret ", HttpStatusCode.OK)]
    [InlineData("X-Api-Key", "secret", HttpStatusCode.OK)]
    [InlineData("x-api-key", "other", HttpStatusCode.OK)]
    [InlineData("X-Api-Key", "alice=other", HttpStatusCode.Unauthorized)]
    [InlineData("X-Api-Key", "Bearer secret", HttpStatusCode.Unauthorized)]
    [InlineData("X-Api-Key", "", HttpStatusCode.Unauthorized)]
    [InlineData("Authorization", "secret", HttpStatusCode.Unauthorized)]
    [InlineData("Authorization", "Bearer ", HttpStatusCode.Unauthorized)]
    [InlineData("Authorization", "Basic c2VjcmV0", HttpStatusCode.Unauthorized)]
    public async Task Key_InEitherHeader_IsAsked(string header, string value, HttpStatusCode status)
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ApiKeys = ["secret", "alice=other"] });

        Answer answer = await server.SendAsync(HttpMethod.Get, "/v1/models", null, (header, value));

        Assert.Equal(status, answer.Status);
    }

    [Fact]
    public async Task Key_BesideAnotherCredential_IsFound()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ApiKeys = ["secret"], AdminKey = "root" });

        Answer models = await server.SendAsync(HttpMethod.Get, "/v1/models", null, ("Authorization", "Basic dTpw"), ("X-Api-Key", "secret"));
        Answer control = await server.SendAsync(HttpMethod.Post, "/v1/pause", "{}", ("X-Api-Key", "root"));
        Answer wrong = await server.SendAsync(HttpMethod.Post, "/v1/resume", "{}", ("X-Api-Key", "secret"));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (models.Status, control.Status));
        wrong.AssertError(HttpStatusCode.Unauthorized, code: "invalid_api_key");
    }

    [Theory]
    [InlineData("alice=k1", "alice", "k1")]
    [InlineData("team-a.1_x=a=b", "team-a.1_x", "a=b")]
    [InlineData("plain", null, "plain")]
    [InlineData("c2VjcmV0==", null, "c2VjcmV0==")]
    [InlineData("c2VjcmV0=", null, "c2VjcmV0=")]
    [InlineData("=k", null, "=k")]
    [InlineData("a b=k", null, "a b=k")]
    [InlineData("ab/cd+ef=x", null, "ab/cd+ef=x")]
    public void Key_IsReadWithItsName(string text, string? name, string key)
    {
        ApiKey read = ApiKey.Parse(text);

        Assert.Equal(name, read.Name);
        Assert.True(read.Matches(ApiKey.HashOf(key)));
        Assert.False(read.Matches(ApiKey.HashOf(key + "x")));
    }
}
