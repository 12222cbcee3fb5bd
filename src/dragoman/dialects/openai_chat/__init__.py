"""openai-chat: Chat Completions, as spoken by OpenAI and by the many hosts that copied it; and its embeddings.

Where the nouns of the wire go:

    wire                                    values
    --------------------------------------  -------------------------------------------------------------------------
    messages[].role                         Message.role; `function` is TOOL with a note
    content, text or list                   Text, Media, Opaque (a kind of part that we do not know), in order
    content list of Mistral's shape         `thinking` → Reasoning, `reference` and its like → Opaque
    refusal                                 Refusal
    reasoning_content, reasoning            Reasoning.text
    reasoning_details, thinking_blocks,
      extra_content, thought_signature      Reasoning.replay, kind "reasoning": state for its issuer alone
    tool_calls[].extra_content              ToolCall.replay, kind "extra_content"
    tool_calls of type `custom`             ToolCall with input "text"
    function_call, functions (legacy)       ToolCall, ToolDefinition, with a note
    audio of an answer                      Media (data, transcript), its id in replay, kind "audio"
    images of an answer (OpenRouter)        Media, with replay kind "images"
    annotations of an answer                Text.citations; in a request they stay members of the message
    citations, search_results (Perplexity)  members of the answer; of an answer without annotations also Text.citations
    executed_tools (Groq)                   member of the message
    n, index                                Request.choices, Choice.index
    logprobs, content_filter_results,
      native_finish_reason, …               members of the Choice
    system_fingerprint, provider, x_groq, … members of the Response
    usage, x_groq.usage, usage.cost         Usage, Usage.reported_cost

Members without a field are kept in `extras["openai-chat"]` under their own names, notes of form under names that begin
with ":" (see `notes`). An unknown tool type is an Opaque among the tools.
"""
