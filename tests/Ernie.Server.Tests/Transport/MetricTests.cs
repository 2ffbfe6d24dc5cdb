using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.RegularExpressions;
using Ernie.Generation;
using Ernie.Server.Metrics;
using Ernie.Server.Metrics.Recording;

namespace Ernie.Server.Tests.Transport;

public sealed class MetricTests
{
    /// <summary>Names and types of vLLM's page "Production Metrics" and of its stat logger, as its Prometheus client writes them.</summary>
    private const string Vllm = """
        counter corrupted_requests_total external_prefix_cache_hits_total external_prefix_cache_queries_total generation_tokens_total mm_cache_hits_total
        counter mm_cache_queries_total num_preemptions_total prefix_cache_hits_total prefix_cache_queries_total prompt_tokens_total request_success_total
        counter prompt_tokens_by_source_total prompt_tokens_cached_total prompt_tokens_recomputed_total gpu_prefix_cache_queries_total gpu_prefix_cache_hits_total
        counter spec_decode_num_drafts_total spec_decode_num_draft_tokens_total spec_decode_num_accepted_tokens_total spec_decode_num_accepted_tokens_per_pos_total
        counter estimated_flops_per_gpu_total estimated_read_bytes_per_gpu_total estimated_write_bytes_per_gpu_total
        counter nixl_num_failed_transfers_total nixl_num_failed_notifications_total nixl_num_kv_expired_reqs_total admission_rejections_total
        gauge cache_config_info engine_sleep_state kv_cache_usage_perc lora_requests_info num_requests_running num_requests_waiting gpu_cache_usage_perc
        gauge num_requests_waiting_by_reason
        histogram e2e_request_latency_seconds inter_token_latency_seconds iteration_tokens_total request_decode_time_seconds request_generation_tokens
        histogram request_inference_time_seconds request_max_num_generation_tokens request_params_max_tokens request_params_n request_prefill_kv_computed_tokens
        histogram request_prefill_time_seconds request_prompt_tokens request_queue_time_seconds request_time_per_output_token_seconds time_per_output_token_seconds
        histogram time_to_first_token_seconds kv_block_idle_before_evict_seconds kv_block_lifetime_seconds kv_block_reuse_gap_seconds request_num_preemptions
        histogram nixl_xfer_time_seconds nixl_post_time_seconds nixl_bytes_transferred nixl_num_descriptors
        """;

    /// <summary>Names and types of FastDeploy's page "Monitoring Metrics" and of its metrics module, as its Prometheus client writes them.</summary>
    private const string FastDeploy = """
        counter requests_number_total request_success_total request_preempted_total prompt_tokens_total generation_tokens_total prefix_cache_token_num_total
        counter prefix_gpu_cache_token_num_total prefix_cpu_cache_token_num_total prefix_ssd_cache_token_num_total prefix_storage_cache_token_num_total
        counter send_cache_failed_num_total spec_decode_num_accepted_tokens_total spec_decode_num_draft_tokens_total spec_decode_num_emitted_tokens_total
        gauge num_requests_enqueued num_requests_waiting num_requests_running num_requests_preempted available_batch_size batch_size max_batch_size
        gauge cache_config_info hit_req_rate hit_token_rate cpu_hit_token_rate gpu_hit_token_rate available_gpu_block_num free_gpu_block_num max_gpu_block_num
        gauge max_cpu_block_num available_gpu_resource gpu_cache_usage_perc first_token_latency infer_latency spec_decode_draft_acceptance_rate spec_decode_efficiency
        histogram time_to_first_token_seconds time_per_output_token_seconds e2e_request_latency_seconds request_inference_time_seconds request_queue_time_seconds
        histogram request_prefill_time_seconds request_decode_time_seconds request_prompt_tokens request_token_ratio request_generation_tokens request_params_max_tokens
        """;

    public static TheoryData<string, string> Documented { get; } =
    [
        .. Names("vllm:", Vllm), .. Names("fastdeploy:", FastDeploy),
        ("http_requests_total", "counter"), ("http_request_duration_seconds", "histogram"), ("process_open_fds", "gauge"), ("process_max_fds", "gauge"),
        ("process_resident_memory_bytes", "gauge"), ("process_virtual_memory_bytes", "gauge"), ("process_cpu_seconds_total", "counter"), ("process_start_time_seconds", "gauge"),
    ];

    [Fact]
    public async Task DocumentedNames_AreThereWithTheirTypes_BeforeAndAfterTraffic()
    {
        await using TestServer server = await TestServer.StartAsync();

        for (int round = 0; round < 2; round++)
        {
            string text = (await server.GetAsync("/metrics")).Text;
            foreach ((string name, string type) in Documented.Select(row => row.Data))
            {
                Assert.Contains($"# TYPE {name} {type}\n", text);
                string sample = type == "histogram" ? name + "_count" : name;
                Assert.True(Regex.IsMatch(text, $"^{Regex.Escape(sample)}\\{{", RegexOptions.Multiline), $"{name} has no sample.");
            }

            await server.CompleteAsync("\"max_tokens\":4");
        }
    }

    [Fact]
    public async Task Names_OfEveryMetric_FollowPrometheus()
    {
        await using TestServer server = await TestServer.StartAsync();

        string text = (await server.GetAsync("/metrics")).Text;
        (string Name, string Type)[] metrics = [.. Regex.Matches(text, "^# TYPE (\\S+) (\\S+)$", RegexOptions.Multiline).Select(match => (match.Groups[1].Value, match.Groups[2].Value))];

        Assert.Equal(metrics.Length, metrics.Select(metric => metric.Name).Distinct().Count());
        Assert.All(metrics.Where(metric => metric.Type == "counter"), metric => Assert.EndsWith("_total", metric.Name));
        Assert.All(text.Split('\n').Where(line => line.StartsWith("vllm:", StringComparison.Ordinal)), line => Assert.Contains("model_name=\"fake-model\",engine=\"0\"", line));
    }

    [Fact]
    public async Task Requests_AreCountedByWhatTheyAskAndHowTheyEnd()
    {
        await using TestServer server = await TestServer.StartAsync(engine => engine.CachedTokens = 1);

        await server.CompleteAsync("\"max_tokens\":4,\"n\":2");
        await server.CompleteAsync("");
        server.Engine.FailAt = 1;
        await server.CompleteAsync("");
        string text = (await server.GetAsync("/metrics")).Text;

        Assert.Equal(3, Sample(text, "fastdeploy:requests_number_total"));
        Assert.Equal(3, Sample(text, "fastdeploy:request_success_total"));
        Assert.Equal(2, Sample(text, "vllm:request_success_total", "finished_reason=\"length\""));
        Assert.Equal(1, Sample(text, "vllm:request_success_total", "finished_reason=\"stop\""));
        Assert.Equal(1, Sample(text, "vllm:request_success_total", "finished_reason=\"error\""));
        Assert.Equal(0, Sample(text, "vllm:request_success_total", "finished_reason=\"abort\""));
        Assert.Equal((3, 4), (Sample(text, "vllm:request_params_n_count"), Sample(text, "vllm:request_params_n_sum")));
        Assert.Equal(4 + 255 + 255, Sample(text, "fastdeploy:request_params_max_tokens_sum"));
        Assert.Equal(3, Sample(text, "vllm:request_max_num_generation_tokens_count"));
        Assert.Equal(1, Sample(text, "fastdeploy:hit_req_rate"));
        Assert.Equal(1, Sample(text, "http_requests_total", "status=\"5xx\",status_code=\"500\""));
        Assert.Equal(2, Sample(text, "http_requests_total", "handler=\"/v1/completions\",path=\"/v1/completions\",method=\"POST\",status=\"2xx\",status_code=\"200\""));
        Assert.Equal(3, Sample(text, "http_request_duration_seconds_count", "handler=\"/v1/completions\""));
    }

    [Fact]
    public async Task Refusals_AreCountedByReason()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ApiKeys = ["k"] });
        (string, string) key = ("X-Api-Key", "k");

        await server.SendAsync(HttpMethod.Post, "/v1/completions", "{}");
        await server.SendAsync(HttpMethod.Post, "/v1/completions", "{}", key);
        await server.SendAsync(HttpMethod.Post, "/v1/completions", """{"prompt":"a","model":"gpt-4"}""", key);
        await server.SendAsync(HttpMethod.Post, "/v1/embeddings", "{}", key);
        server.Engine.Reject = _ => new RequestRejectedException(RejectionReason.QueueFull, "4 wait, and 4 may.");
        await server.SendAsync(HttpMethod.Post, "/v1/completions", """{"prompt":"a"}""", key);
        server.Context.Admission.StartDraining();
        await server.SendAsync(HttpMethod.Post, "/v1/completions", """{"prompt":"a"}""", key);
        string text = (await server.GetAsync("/metrics")).Text;

        foreach ((string reason, int status) in ((string, int)[])[("invalid_api_key", 401), ("missing_required_parameter", 400), ("model_not_found", 404), ("unsupported_endpoint", 400), ("queue_full", 429), ("draining", 503)])
            Assert.Equal(1, Sample(text, "ernie_requests_refused_total", $"reason=\"{reason}\",status=\"{status}\""));
        Assert.Equal(1, Sample(text, "vllm:admission_rejections_total"));
        // What never began did not end either.
        Assert.Equal(0, Sample(text, "vllm:e2e_request_latency_seconds_count"));
        Assert.All((string[])["stop", "length", "abort", "error"], reason => Assert.Equal(0, Sample(text, "vllm:request_success_total", $"finished_reason=\"{reason}\"")));
    }

    [Fact]
    public async Task Series_OfWhatClientsMakeUp_AreFew()
    {
        await using TestServer server = await TestServer.StartAsync();

        for (int index = 0; index < 20; index++)
            await server.SendAsync(new HttpMethod($"METHOD{index}"), $"/path{index}");
        string text = (await server.GetAsync("/metrics")).Text;

        Assert.Equal(20, Sample(text, "http_requests_total", "handler=\"none\",path=\"none\",method=\"OTHER\",status=\"4xx\",status_code=\"404\""));
        Assert.DoesNotContain("METHOD", text);
        Assert.DoesNotContain("path1", text);
    }

    [Fact]
    public void Tags_OfAnInstrument_BecomeLabels()
    {
        var owner = new object();
        using var meter = new Meter(new MeterOptions("tags") { Scope = owner });
        using var recorder = new MeterRecorder("tags", [owner]);
        Counter<long> counter = meter.CreateCounter<long>("c");
        UpDownCounter<int> upDown = meter.CreateUpDownCounter<int>("u");
        Histogram<double> histogram = meter.CreateHistogram<double>("h", "s");

        counter.Add(2, new KeyValuePair<string, object?>("finished_reason", "stop"));
        counter.Add(3, new KeyValuePair<string, object?>("finished_reason", "length"));
        counter.Add(5, new KeyValuePair<string, object?>("finished_reason", "stop"));
        upDown.Add(3);
        upDown.Add(-2);
        histogram.Record(0.2, new KeyValuePair<string, object?>("size", 7));
        var writer = new PrometheusWriter("m");
        foreach (MetricFamily family in recorder.Families)
            family.WriteTo(writer, family.Instrument.Name);
        string text = writer.ToString();

        Assert.Contains("c{model_name=\"m\",finished_reason=\"stop\"} 7\n", text);
        Assert.Contains("c{model_name=\"m\",finished_reason=\"length\"} 3\n", text);
        Assert.Contains("u{model_name=\"m\"} 1\n", text);
        Assert.Contains("h_bucket{model_name=\"m\",size=\"7\",le=\"0.25\"} 1\n", text);
        Assert.Contains("h_count{model_name=\"m\",size=\"7\"} 1\n", text);
    }

    [Fact]
    public void Recording_OfKnownTags_AllocatesNothing()
    {
        var owner = new object();
        using var meter = new Meter(new MeterOptions("allocations") { Scope = owner });
        using var recorder = new MeterRecorder("allocations", [owner]);
        Counter<long> counter = meter.CreateCounter<long>("c");
        Histogram<double> histogram = meter.CreateHistogram<double>("h", "s");
        var tag = new KeyValuePair<string, object?>("reason", "stop");
        Record(100);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Record(1000);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Record(int times)
        {
            for (int index = 0; index < times; index++)
            {
                counter.Add(1, tag);
                histogram.Record(0.01);
            }
        }
    }

    private static double Sample(string text, string name, string label = "") => double.Parse(
        Regex.Match(text, $$"""^{{Regex.Escape(name)}}\{[^}]*{{Regex.Escape(label)}}[^}]*\} (.+)$""", RegexOptions.Multiline) is { Success: true } match
            ? match.Groups[1].Value
            : throw new InvalidOperationException($"{name} with {label} is not in:\n{text}"),
        CultureInfo.InvariantCulture);

    private static IEnumerable<TheoryDataRow<string, string>> Names(string prefix, string table) => table
        .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(line => line.Split(' '))
        .SelectMany(words => words[1..].Select(name => new TheoryDataRow<string, string>(prefix + name, words[0])));
}
