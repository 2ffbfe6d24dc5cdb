using System.Net;
using Ernie.Server.Validation.Fields;

namespace Ernie.Server.Tests.Fields;

/// <summary>Walks every row of the table of request fields over HTTP.</summary>
public sealed class FieldTableTests
{
    private static readonly (ApiEndpoints Endpoint, string Path, string Body)[] s_endpoints =
    [
        (ApiEndpoints.Chat, "/v1/chat/completions", "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]"),
        (ApiEndpoints.Completions, "/v1/completions", "\"prompt\":\"hello\""),
        (ApiEndpoints.Tokenize, "/tokenize", "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]"),
        (ApiEndpoints.Detokenize, "/detokenize", "\"tokens\":[5]"),
    ];

    [Fact]
    public async Task HonouredField_OfTheWrongType_Is400NamingIt()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { TrustRequestChatTemplate = true });

        foreach ((ApiEndpoints endpoint, string path, string body, RequestField row) in Rows(refused: false))
        {
            Answer answer = await server.PostAsync(path, With(body, row.Name, row.Kind is FieldKind.Text or FieldKind.List or FieldKind.Map ? "5" : row.Kind == FieldKind.Mixed ? "true" : "\"x\""));

            Assert.True(answer.Status == HttpStatusCode.BadRequest, $"{row.Name} at {path}: {answer.Status} {answer.Text}");
            Assert.True(answer.Json["error"]!["param"]?.GetValue<string>() == row.Name, $"{row.Name} at {path} of {endpoint}: {answer.Text}");
        }
    }

    [Fact]
    public async Task RefusedField_IsA400ThatNamesItAndSaysWhy()
    {
        await using TestServer server = await TestServer.StartAsync();

        foreach ((ApiEndpoints endpoint, string path, string body, RequestField row) in Rows(refused: true))
        {
            Answer answer = await server.PostAsync(path, With(body, row.Name, row.Example));

            Assert.True(answer.Status == HttpStatusCode.BadRequest, $"{row.Name} at {path} of {endpoint}: {answer.Status}");
            answer.AssertError(HttpStatusCode.BadRequest, row.Name, "unsupported_parameter");
            Assert.Contains(row.Summary, answer.Json["error"]!["message"]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task RefusedField_ThatAsksForNothing_IsTaken()
    {
        await using TestServer server = await TestServer.StartAsync();

        foreach ((ApiEndpoints endpoint, string path, string body, RequestField row) in Rows(refused: true))
        {
            foreach (string value in row.Neutral.Append("null"))
            {
                Answer answer = await server.PostAsync(path, With(body, row.Name, value));

                Assert.True(answer.Status == HttpStatusCode.OK, $"{row.Name} {value} at {path} of {endpoint}: {answer.Text}");
            }
        }
    }

    [Fact]
    public async Task FieldOfTheOtherEndpoint_IsRefusedNotDropped()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer chat = await server.ChatAsync("\"prompt\":\"hello\"");
        Answer completion = await server.CompleteAsync("\"documents\":[{\"text\":\"x\"}]");
        Answer nothing = await server.CompleteAsync("\"continue_final_message\":false");

        chat.AssertError(HttpStatusCode.BadRequest, "prompt", "unsupported_parameter");
        completion.AssertError(HttpStatusCode.BadRequest, "documents", "unsupported_parameter");
        Assert.Equal(HttpStatusCode.OK, nothing.Status);
    }

    [Fact]
    public async Task Metadata_IsReadLikeTheRequestItself()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer refused = await server.ChatAsync("\"metadata\":{\"use_beam_search\":true}");
        Answer wrong = await server.ChatAsync("\"metadata\":{\"temperature\":\"hot\"}");
        Answer tag = await server.ChatAsync("\"metadata\":{\"customer\":\"7\"}");

        refused.AssertError(HttpStatusCode.BadRequest, "use_beam_search");
        wrong.AssertError(HttpStatusCode.BadRequest, "temperature");
        Assert.Equal(HttpStatusCode.OK, tag.Status);
    }

    [Fact]
    public void Table_HasEveryFieldOnceAndSaysWhatItIs()
    {
        foreach (ApiEndpoints endpoint in s_endpoints.Select(entry => entry.Endpoint))
        {
            string[] names = [.. RequestFieldTable.All.Where(row => row.Endpoints.HasFlag(endpoint)).Select(row => row.Name)];
            Assert.Equal(names.Distinct(), names);
        }

        Assert.All(RequestFieldTable.All, row => Assert.False(string.IsNullOrWhiteSpace(row.Summary)));
        Assert.All(RequestFieldTable.All, row => Assert.Equal(row.IsRefused, row.Example.Length > 0));
    }

    [Theory]
    [MemberData(nameof(PeerFields.All), MemberType = typeof(PeerFields))]
    public void Table_HasEveryFieldOfPeersProtocols(string protocol, string endpoint, string field)
    {
        ApiEndpoints where = Enum.Parse<ApiEndpoints>(endpoint);

        Assert.True(RequestFieldTable.All.Any(row => row.Name == field && row.Endpoints.HasFlag(where)), $"{protocol} has {field} at {endpoint}; the table has not.");
    }

    private static IEnumerable<(ApiEndpoints Endpoint, string Path, string Body, RequestField Row)> Rows(bool refused)
    {
        foreach ((ApiEndpoints endpoint, string path, string body) in s_endpoints)
        {
            foreach (RequestField row in RequestFieldTable.All.Where(row => row.IsRefused == refused && RequestFieldIndex.IsOf(row, endpoint)))
            {
                // The conversation would be read before the plain prompt.
                string own = endpoint == ApiEndpoints.Tokenize && !RequestFieldIndex.IsOf(row, ApiEndpoints.Chat) ? "\"model\":\"default\"" : body;
                // A field of two kinds has its row for each endpoint; /tokenize takes the chat's.
                if (endpoint != ApiEndpoints.Tokenize || row.Endpoints != ApiEndpoints.Completions)
                    yield return (endpoint, path, own, row);
            }
        }
    }

    private static string With(string body, string name, string value) =>
        body.StartsWith($"\"{name}\":", StringComparison.Ordinal) ? $"{{\"{name}\":{value}}}" : $"{{{body},\"{name}\":{value}}}";
}
