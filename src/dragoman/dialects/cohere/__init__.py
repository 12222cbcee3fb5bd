"""Cohere's chat API, version 2: `POST /v2/chat` and `/v2/embed`, streamed and not, in both directions.

The nouns of this wire, and where each goes:

| noun | value |
| --- | --- |
| content: text, thinking, image_url | Text, Reasoning (with a Replay "thinking"), Media |
| tool_plan | Text of channel "commentary", behind the thoughts and before the answer |
| tool_calls, messages of role tool | ToolCall, ToolResult |
| document in a tool's content | Media given as text, else Opaque |
| citations | Citation on the text they speak of (the wire's object in its extras) |
| documents, citation_options, safety_mode, priority | extras of the request |
| strict_tools | ToolDefinition.strict, of all tools at once |
| response_format | OutputFormat |
| thinking: type, token_budget | ReasoningOptions: budget |
| p, k, stop_sequences | top_p, top_k, stop |
| finish_reason | Finish |
| usage.tokens, usage.cached_tokens | Usage, totals and the cached subset |
| usage.billed_units | Usage.billed_input_tokens, billed_output_tokens; the rest stays in its raw |
| logprobs | extras of the choice |

An answer does not name its model. Read `messages` for the conversation, `citations` for sources, `stream` for the laws
of the stream, `keeping` (beside the dialects) for the notes that keep the wire's form. Sources: the vendor's API
reference, and the types of its client (cohere 7.3, MIT).
"""
