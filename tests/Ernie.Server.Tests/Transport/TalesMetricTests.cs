using System.Globalization;
using System.Text.RegularExpressions;

namespace Ernie.Server.Tests.Transport;

/// <summary>What the real engine measures arrives under the documented names.</summary>
[Collection(TalesGroup.Name)]
public sealed class TalesMetricTests(TalesServer tales)
{
    [Fact]
    public async Task EngineMeasures_OfARequest_ReachEveryNameTheyHave()
    {
        string[] counts =
        [
            "vllm:iteration_tokens_total_count", "vllm:request_prompt_tokens_count", "vllm:request_generation_tokens_count", "vllm:request_queue_time_seconds_count",
            "vllm:request_inference_time_seconds_count", "vllm:request_prefill_time_seconds_count", "vllm:request_decode_time_seconds_count",
            "vllm:request_prefill_kv_computed_tokens_count", "vllm:request_num_preemptions_count", "fastdeploy:request_token_ratio_count",
            "fastdeploy:request_inference_time_seconds_count", "ernie_requests_finished_total",
        ];
        string before = (await tales.Server.GetAsync("/metrics")).Text;

        await tales.Server.CompleteAsync("\"prompt\":\"Once upon a time\",\"max_tokens\":5,\"ignore_eos\":true");
        // The last token goes out before the engine counts the sequence as finished.
        string after = (await tales.Server.GetAsync("/metrics")).Text;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (counts.Any(name => Sum(after, name) <= Sum(before, name)))
        {
            await Task.Delay(10, limit.Token);
            after = (await tales.Server.GetAsync("/metrics")).Text;
        }

        Assert.Matches("\nernie_requests_finished_total\\{model_name=\"tales\",finished_reason=\"length\"\\} [1-9]", after);
        Assert.Equal(0, Sum(after, "fastdeploy:num_requests_preempted"));
        Assert.True(Sum(after, "fastdeploy:first_token_latency") > 0);
        Assert.True(Sum(after, "fastdeploy:infer_latency") > 0);
    }

    private static double Sum(string text, string name) => Regex.Matches(text, $"^{Regex.Escape(name)}\\{{[^}}]*\\}} (\\S+)$", RegexOptions.Multiline)
        .Sum(match => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
}
