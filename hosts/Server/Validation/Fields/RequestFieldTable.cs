using Ernie.Server.Validation.Readers;
using static Ernie.Server.Validation.Fields.ApiEndpoints;
using static Ernie.Server.Validation.Fields.FieldKind;

namespace Ernie.Server.Validation.Fields;

/// <summary>
/// Every request field of OpenAI's, vLLM's and FastDeploy's chat and completion protocols, each honoured or refused: the only place
/// that knows them. The list in docs/server.md is written from it. Fields are read in this order.
/// </summary>
internal static class RequestFieldTable
{
    // Namespaces of these names would come before the members imported above.
    private const ApiEndpoints Generation = ApiEndpoints.Generation;
    private const FieldKind Text = FieldKind.Text;

    private const string NoTools = "not supported yet, the model cannot be given tools";
    private const string NoGuidance = "not supported yet, output cannot be constrained";
    private const string NoReasoning = "this model's answers have no separate reasoning";
    private const string TextOnly = "this model reads and writes text only";
    private const string NoBeams = "there is no beam search, tokens are drawn";
    private const string OneServer = "this server is not part of a disaggregated deployment";
    private const string RenderOnly = "it belongs to render endpoints, which this server does not have";

    /// <summary>All fields.</summary>
    public static IReadOnlyList<RequestField> All { get; } =
    [
        // The request itself.
        Honour("model", Generation | Tokenize | Detokenize, Text, "a served name; absent or `default` is the first one", (v, d) => d.Model = v.Text()),
        Honour("metadata", Generation, Map, "fields that count where the request itself has none", (v, _) => v.Map()),
        Honour("request_id", Generation, Text, "end of the answer's `id`, 1 to 256 characters", (v, d) => d.RequestId = v.Text(256)),
        Honour("user", Generation, Text, "checked; requests are not told apart by it", (v, _) => v.Text()),
        Honour("safety_identifier", Generation, Text, "as `user`", (v, _) => v.Text()),
        Honour("session_id", Generation, Text, "as `user`; there is one server to route to", (v, _) => v.Text()),
        Honour("prompt_cache_key", Generation, Text, "as `user`; equal prefixes share the cache anyway, see `cache_salt`", (v, _) => v.Text()),
        Honour("cache_salt", Generation, Text, "requests share cached prefixes only under the same salt; 1 to 1,024 characters", (v, d) => d.CacheSalt = v.Text(1024)),
        Honour("priority", Generation, Whole, "larger goes first", (v, d) => d.Priority = v.Whole(int.MinValue)),
        Refuse("prompt_cache_retention", Generation, Text, "\"24h\"", "the prefix cache lives in memory", "\"in-memory\"", "\"in_memory\""),
        Refuse("service_tier", Generation, Text, "\"priority\"", "there is one tier", "\"auto\"", "\"default\""),
        Refuse("store", Generation, Flag, "true", "nothing is stored", "false"),
        Refuse("kv_transfer_params", Generation, Map, "{\"a\":1}", OneServer, "{}"),
        Refuse("ec_transfer_params", Generation, Map, "{\"a\":1}", OneServer, "{}"),
        Refuse("disaggregate_info", Generation, Map, "{\"a\":1}", OneServer, "{}"),
        Refuse("trace_context", Generation, Text, "\"00-1-2-01\"", "traces are continued from HTTP headers alone", "\"\""),

        // The prompt.
        Honour("messages", Chat, List, "the conversation, at most 16,384 messages; content is a string or parts of type `text` (an assistant's also `refusal`)", (v, d) => d.Messages = MessageReader.Read(v)),
        Honour("prompt", Completions | Tokenize, Mixed, "a string, token ids, or a list of either", (v, d) => d.Prompt = v),
        Honour("text", Tokenize, Text, "as `prompt`", (v, d) => d.Prompt ??= v),
        Honour("prompt_token_ids", Generation, List, "the prompt as ids, in place of `messages` or `prompt`", (v, d) => d.PromptTokenIds = v),
        Honour("tokens", Detokenize, List, "ids to decode", (v, d) => d.Tokens = v),
        Honour("truncate_prompt_tokens", Generation, Whole, "keeps this many tokens of the prompt; -1 as many as leave room for the answer", (v, d) => d.TruncatePromptTokens = PromptFields.Truncation(v)),
        Honour("truncation_side", Generation, Text, "`left` (the end of the prompt is kept) or `right`", (v, d) => d.TruncatesEnd = PromptFields.IsRight(v)),
        Honour("add_special_tokens", Generation | Tokenize, Flag, "spelled control tokens of a plain prompt become their ids; a chat's control tokens come from its template alone", (v, d) => d.ParseSpecialTokens |= v.Flag()),
        Honour("parse_special", Generation | Tokenize, Flag, "the same, under llama.cpp's name", (v, d) => d.ParseSpecialTokens |= v.Flag()),
        Honour("chat_template", Chat, Text, "a Jinja template in place of the model's, at most 131,072 characters; only with `--trust-request-chat-template`", TemplateFields.ReadTemplate),
        Honour("chat_template_kwargs", Chat, Map, "variables of the template", TemplateFields.ReadArguments),
        Honour("documents", Chat, List, "variable of the template, at most 1,024 objects", TemplateFields.ReadDocuments),
        Honour("enable_thinking", Chat, Flag, "variable of the template", TemplateFields.ReadThinking),
        Honour("reasoning_effort", Chat, Text, "variable of the template: none, minimal, low, medium, high, xhigh or max; also sets `enable_thinking` where the request does not", TemplateFields.ReadEffort),
        Honour("add_generation_prompt", Chat, Flag, "whether the template ends with the assistant's prompt; true unless the final message is continued", (v, d) => d.AddGenerationPrompt = v.Flag()),
        Honour("continue_final_message", Chat, Flag, "goes on with the last message; not together with `add_generation_prompt`", (v, d) => d.ContinuesFinalMessage = v.Flag()),
        Honour("disable_chat_template", Chat, Flag, "the first message's content is the prompt, without a template", (v, d) => d.DisablesChatTemplate = v.Flag()),
        Refuse("completion_token_ids", Chat, List, "[5]", "send the whole prompt as prompt_token_ids", "[]"),
        Refuse("prompt_embeds", Completions, Mixed, "\"AAAA\"", "prompts are text or token ids"),
        Refuse("mm_processor_kwargs", Generation, Map, "{\"a\":1}", TextOnly, "{}"),
        Refuse("media_io_kwargs", Generation, Map, "{\"a\":1}", TextOnly, "{}"),
        Refuse("mm_hashes", Generation, List, "[\"a\"]", TextOnly, "[]"),
        Refuse("modalities", Generation, List, "[\"audio\"]", TextOnly, "[\"text\"]"),
        Refuse("audio", Generation, Map, "{\"voice\":\"alloy\"}", TextOnly),
        Refuse("web_search_options", Generation, Map, "{}", "nothing is searched"),
        Refuse("prediction", Generation, Map, "{\"type\":\"content\"}", "there is no predicted output"),
        Refuse("verbosity", Generation, Text, "\"low\"", "the model has no such control", "\"medium\""),
        Refuse("suffix", Completions, Mixed, "\"end\"", "the model is not trained to fill in the middle", "\"\""),

        // Tools and structure.
        Refuse("tools", Chat, List, "[{\"type\":\"function\"}]", NoTools, "[]"),
        Refuse("functions", Chat, List, "[{}]", NoTools, "[]"),
        Refuse("tool_choice", Chat, Mixed, "\"auto\"", NoTools, "\"none\""),
        Refuse("function_call", Chat, Mixed, "\"auto\"", NoTools, "\"none\""),
        Honour("parallel_tool_calls", Chat, Flag, "checked; tools are refused", (v, _) => v.Flag()),
        Refuse("response_format", Generation, Map, "{\"type\":\"json_object\"}", NoGuidance, "{\"type\":\"text\"}"),
        Refuse("guided_json", Generation, Mixed, "{}", NoGuidance),
        Refuse("guided_json_object", Generation, Flag, "true", NoGuidance, "false"),
        Refuse("guided_regex", Generation, Text, "\"a+\"", NoGuidance),
        Refuse("guided_choice", Generation, List, "[\"a\"]", NoGuidance),
        Refuse("guided_grammar", Generation, Text, "\"root\"", NoGuidance),
        Refuse("guided_decoding_backend", Generation, Text, "\"xgrammar\"", NoGuidance, "\"auto\""),
        Refuse("guided_whitespace_pattern", Generation, Text, "\" \"", NoGuidance),
        Refuse("structural_tag", Generation, Mixed, "\"{}\"", NoGuidance),
        Refuse("structured_outputs", Generation, Map, "{\"regex\":\"a\"}", NoGuidance),
        Refuse("reasoning_max_tokens", Generation, Whole, "8", NoReasoning),
        Refuse("thinking_token_budget", Generation, Whole, "8", NoReasoning, "-1"),
        Refuse("include_reasoning", Generation, Flag, "false", NoReasoning, "true"),

        // The answer.
        Honour("n", Generation, Whole, "choices per prompt; `--max-choices-per-request` bounds prompts × n", (v, d) => d.Choices = ChoiceFields.Count(v, d.Server)),
        Honour("best_of", Generation, Whole, "must equal `n`: choosing among more candidates than are returned is not supported", (v, d) => d.BestOf = ChoiceFields.Count(v, d.Server)),
        Honour("stream", Generation, Flag, "answers with server-sent events", (v, d) => d.Stream = v.Flag()),
        Honour("stream_options", Generation, Map, "`include_usage` and `continuous_usage_stats`, which needs it; only with `stream`", StopFields.ReadStreamOptions),
        Honour("echo", Generation, Flag, "the text starts with the prompt; in a chat with the last message, where its role is the answer's", (v, d) => d.Echo = v.Flag()),
        Honour("max_tokens", Generation, Whole, "tokens per choice, from 1 (`/v1/completions`: 0); what does not fit becomes what fits", (v, d) => d.MaxTokens = ChoiceFields.MaxTokens(v, d)),
        Honour("max_completion_tokens", Generation, Whole, "as `max_tokens`, and before it", (v, d) => d.MaxCompletionTokens = ChoiceFields.MaxTokens(v, d)),
        Honour("response_max_tokens", Generation, Whole, "a further bound of the same kind", (v, d) => d.ResponseMaxTokens = ChoiceFields.MaxTokens(v, d)),
        Honour("min_tokens", Generation, Whole, "tokens before which nothing stops, from 0 to `max_tokens`", (v, d) => d.MinTokens = v.Whole(0)),
        Honour("stop", Generation, Mixed, "a string, or up to 16, that end the text", StopFields.ReadStrings),
        Honour("stop_token_ids", Generation, List, "up to 1,024 token ids that end the text", (v, d) => d.StopTokens = v.TokenIds(d.Server.Vocabulary, StopFields.MostTokens)),
        Honour("include_stop_str_in_output", Generation, Flag, "the text keeps the stop that ended it", (v, d) => d.IncludeStop = v.Flag()),
        Honour("ignore_eos", Generation, Flag, "goes on past the model's end tokens", (v, d) => d.IgnoreEndTokens = v.Flag()),
        Honour("skip_special_tokens", Generation | Detokenize, Flag, "leaves control tokens out of the text; true, at `/detokenize` false", (v, d) => d.SkipSpecialTokens = v.Flag()),
        Honour("spaces_between_special_tokens", Generation, Flag, "checked; decoding puts no spaces between them of its own", (v, _) => v.Flag()),
        Honour("return_token_ids", Generation, Flag, "adds `prompt_token_ids` and `token_ids`", (v, d) => d.ReturnTokenIds = v.Flag()),
        Honour("return_token_strs", Tokenize, Flag, "adds the pieces as the vocabulary spells them", (v, d) => d.ReturnTokenStrings = v.Flag()),
        Refuse("stream_interval", Generation, Whole, "8", "tokens are sent as they come", "1"),
        Refuse("max_streaming_response_tokens", Generation, Whole, "8", "tokens are sent as they come", "1"),
        Refuse("return_prompt_text", Generation, Flag, "true", "/tokenize gives the ids of a rendered prompt", "false"),
        Refuse("return_token_offsets", Generation, Flag, "true", RenderOnly, "false"),
        Refuse("return_mm_kwargs", Generation, Flag, "false", RenderOnly, "true"),
        Refuse("routed_experts_prompt_start", Generation, Whole, "1", "routing of experts is not returned", "0"),
        Refuse("collect_metrics", Generation, Flag, "true", "timings are in /metrics", "false"),

        // The draw.
        Honour("temperature", Generation, Number, "at least 0; below 1e-5 greedy", (v, d) => d.Temperature = v.Number(0)),
        Honour("top_p", Generation, Number, "0 to 1; 0 is greedy", (v, d) => d.TopP = v.Number(0, 1)),
        Honour("top_k", Generation, Whole, "at least -1; 0 and -1 keep all", (v, d) => d.TopK = v.Whole(-1)),
        Honour("min_p", Generation, Number, "0 to 1, relative to the most probable token", (v, d) => d.MinP = v.Number(0, 1)),
        Honour("seed", Generation, Whole, "64 bits; -1 draws one", (v, d) => d.Seed = v.Long() is var seed && seed == -1 ? null : seed),
        Honour("repetition_penalty", Generation, Number, "above 0; 1 is none", (v, d) => d.RepetitionPenalty = v.Number(0, leastIncluded: false)),
        Honour("presence_penalty", Generation, Number, "-2 to 2", (v, d) => d.PresencePenalty = v.Number(-2, 2)),
        Honour("frequency_penalty", Generation, Number, "-2 to 2", (v, d) => d.FrequencyPenalty = v.Number(-2, 2)),
        Honour("logit_bias", Generation, Map, "up to 4,096 token ids to -100 (bans) to 100 (forces)", TokenFields.ReadBias),
        Honour("allowed_token_ids", Generation, List, "only these tokens are drawn", TokenFields.ReadAllowed),
        Honour("bad_words", Generation, List, "up to 1,024 strings of at most 256 characters that are not completed", TokenFields.ReadBadWords),
        Honour("bad_words_token_ids", Generation, List, "the same as ids, or sequences of at most 256 ids", TokenFields.ReadBadTokens),
        Honour("sampler", Generation, Text, "a sampler that a plugin brings", (v, d) => d.Sampler = ChoiceFields.Sampler(v, d.Server)),
        Honour("vllm_xargs", Generation, Map, "numbers and texts for the sampler, as are fields that no API knows", SamplerParameters.ReadNamed),
        Refuse("use_beam_search", Generation, Flag, "true", NoBeams, "false"),
        Refuse("length_penalty", Generation, Number, "0.5", NoBeams, "1"),
        Refuse("early_stopping", Generation, Flag, "true", NoBeams, "false"),
        Refuse("logits_processors", Generation, List, "[\"m.f\"]", "plugins bring samplers and processors, the operator chooses", "[]"),
        Refuse("logits_processors_args", Generation, Map, "{\"a\":1}", "plugins bring samplers and processors, the operator chooses", "{}"),
        Refuse("watermarking", Generation, Flag, "true", "text is not marked", "false"),
        Refuse("repetition_detection", Generation, Map, "{\"max_pattern_size\":4}", "repetition ends no text, see repetition_penalty"),

        // Log-probabilities.
        Honour("logprobs", Chat, Flag, "log-probabilities of the text's tokens", (v, d) => d.WantsLogprobs = v.Flag()),
        Honour("logprobs", Completions, Whole, "the same with this many alternatives, up to `--max-logprobs`; -1 is the whole vocabulary", (v, d) => (d.WantsLogprobs, d.TopLogprobs) = (true, LogprobFields.Count(v, d.Server))),
        Honour("top_logprobs", Chat, Whole, "alternatives, up to `--max-logprobs`; -1 is the whole vocabulary; needs `logprobs`", (v, d) => d.TopLogprobs = LogprobFields.Count(v, d.Server)),
        Honour("prompt_logprobs", Generation, Whole, "the same for the prompt's tokens; not with `stream`", (v, d) => d.PromptLogprobs = LogprobFields.Count(v, d.Server)),
        Honour("logprob_token_ids", Generation, List, "up to 128 tokens that take the alternatives' place; needs `logprobs`", LogprobFields.ReadTokens),
        Honour("temp_scaled_logprobs", Generation, Flag, "log-probabilities after the temperature, where the request is not greedy", (v, d) => d.TemperatureScaledLogprobs = v.Flag()),
        Honour("top_p_normalized_logprobs", Generation, Flag, "log-probabilities among the tokens that top_p keeps", (v, d) => d.TopPNormalizedLogprobs = v.Flag()),
        Honour("return_tokens_as_token_ids", Generation, Flag, "log-probabilities spell tokens as `token_id:ID`", (v, d) => d.TokensAsIds |= v.Flag()),
        Honour("include_logprobs_decode_token", Generation, Flag, "false is `return_tokens_as_token_ids`", (v, d) => d.TokensAsIds |= !v.Flag()),
        Refuse("include_draft_logprobs", Generation, Flag, "true", "there is no draft model", "false"),
    ];

    private static RequestField Honour(string name, ApiEndpoints endpoints, FieldKind kind, string summary, Action<FieldValue, RequestDraft> read) =>
        new(name, endpoints, kind, summary) { Read = read };

    private static RequestField Refuse(string name, ApiEndpoints endpoints, FieldKind kind, string example, string reason, params string[] neutral) =>
        new(name, endpoints, kind, reason) { Example = example, Neutral = neutral };
}
