"""Converse: `POST /model/{modelId}/converse` and `…/converse-stream`, in both directions.

The nouns of this wire, and where each goes:

| noun | value |
| --- | --- |
| modelId and the operation, in the path | model, stream |
| system | a system message at the head; a turn of role system stays at its place |
| message, content block (a union: one member names the kind) | message, part |
| text, citationsContent | Text, Citation (the wire's object in its extras) |
| guardContent | Text or Media with the extra "guardContent" |
| reasoningContent | Reasoning with a Replay "signature" or "redacted" |
| toolUse, toolResult | ToolCall, ToolResult among a user's parts; of runner "provider" for system tools |
| image, document, video, audio | Media by data, S3 address or text (a document made of blocks is Opaque) |
| cachePoint | CacheHint on the part, or the tool, before it |
| searchResult, toolAddition, toolRemoval, unknown blocks | Opaque, at their place |
| inferenceConfig | max_tokens, temperature, top_p, stop |
| toolConfig: toolSpec, toolChoice; systemTool | tools, tool_choice; an Opaque tool |
| outputConfig: textFormat, effort | OutputFormat, ReasoningOptions.effort |
| additionalModelRequestFields.thinking | ReasoningOptions.budget_tokens; its other members are an extra |
| requestMetadata, serviceTier | metadata, service_tier |
| guardrailConfig, performanceConfig, promptVariables … | extras of the request |
| stopReason | Finish |
| usage | Usage, totals made inclusive of the cache; cacheDetails by their ttl |
| metrics, trace, additionalModelResponseFields, performanceConfig | extras of the answer |

Answers have no id and do not name their model. Streams are AWS event streams (`framing.eventstream`); their laws are in
`stream`. Notes of form are those of `dialects.keeping` and of `forms`. Source: the vendor's service description
(bedrock-runtime, 2023-09-30) and its user guide.
"""
