namespace Ernie.Server.Tests.Fields;

/// <summary>The request fields that OpenAI's, vLLM's and FastDeploy's protocol files name.</summary>
internal static class PeerFields
{
    private const string OpenAiChat =
        "audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages metadata modalities model n " +
        "parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_retention reasoning_effort response_format safety_identifier seed " +
        "service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options";

    private const string OpenAiCompletions =
        "best_of echo frequency_penalty logit_bias logprobs max_tokens model n presence_penalty prompt seed stop stream stream_options suffix temperature top_p user";

    private const string VllmShared =
        "model frequency_penalty logit_bias logprobs max_tokens n presence_penalty response_format seed stop stream stream_options temperature top_p user best_of " +
        "use_beam_search top_k min_p repetition_penalty watermarking length_penalty stop_token_ids include_stop_str_in_output ignore_eos min_tokens " +
        "skip_special_tokens spaces_between_special_tokens truncate_prompt_tokens truncation_side prompt_logprobs logprob_token_ids allowed_token_ids bad_words " +
        "echo add_special_tokens structured_outputs guided_json guided_regex guided_choice guided_grammar structural_tag guided_decoding_backend " +
        "guided_whitespace_pattern priority request_id session_id logits_processors return_tokens_as_token_ids return_token_ids routed_experts_prompt_start " +
        "return_token_offsets return_mm_kwargs cache_salt kv_transfer_params ec_transfer_params vllm_xargs repetition_detection thinking_token_budget stream_interval";

    private const string VllmChat =
        "messages top_logprobs max_completion_tokens tools tool_choice reasoning_effort include_reasoning parallel_tool_calls add_generation_prompt " +
        "continue_final_message documents chat_template chat_template_kwargs media_io_kwargs mm_processor_kwargs return_prompt_text";

    private const string FastDeployShared =
        "model frequency_penalty logprobs include_draft_logprobs include_logprobs_decode_token prompt_logprobs temp_scaled_logprobs top_p_normalized_logprobs " +
        "max_tokens n presence_penalty seed stop stream stream_options temperature top_p user request_id disaggregate_info top_k min_p repetition_penalty " +
        "stop_token_ids min_tokens include_stop_str_in_output bad_words bad_words_token_ids logits_processors_args response_format guided_json guided_regex " +
        "guided_choice guided_grammar max_streaming_response_tokens return_token_ids prompt_token_ids mm_hashes trace_context collect_metrics";

    private const string FastDeployChat =
        "messages tools top_logprobs max_completion_tokens metadata chat_template_kwargs chat_template reasoning_max_tokens response_max_tokens structural_tag " +
        "disable_chat_template completion_token_ids enable_thinking";

    /// <summary>Protocol, endpoint and field.</summary>
    public static TheoryData<string, string, string> All()
    {
        var data = new TheoryData<string, string, string>();
        Add("OpenAI", "Chat", OpenAiChat);
        Add("OpenAI", "Completions", OpenAiCompletions);
        Add("vLLM", "Chat", $"{VllmShared} {VllmChat}");
        Add("vLLM", "Completions", $"{VllmShared} prompt suffix prompt_embeds");
        Add("FastDeploy", "Chat", $"{FastDeployShared} {FastDeployChat}");
        Add("FastDeploy", "Completions", $"{FastDeployShared} prompt best_of echo suffix");
        return data;

        void Add(string protocol, string endpoint, string fields)
        {
            foreach (string field in fields.Split(' '))
                data.Add(protocol, endpoint, field);
        }
    }
}
