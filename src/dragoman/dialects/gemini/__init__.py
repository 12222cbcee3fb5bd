"""gemini: generateContent and streamGenerateContent v1beta, as the Gemini API and Vertex speak them; and embeddings.

The path carries the model and the method. The nouns of the wire, and where each goes in values:

    contents, systemInstruction     messages (`contents`, `content_writer`)
    part                            Text, Reasoning (thought), Media, ToolCall, ToolResult, Opaque (`parts`)
    thoughtSignature                Replay "thought-signature" of the part that it stands on, be its text empty
    functionCall, functionResponse  ToolCall, ToolResult; a minted id where the wire has none (`results`)
    executableCode, toolCall        ToolCall(runner="provider"); their results likewise
    inlineData, fileData            Media by data, by url (`media`)
    tools, toolConfig               tools, tool_choice (`tools`, `schemas`)
    generationConfig                the request's settings, output, reasoning (`config`, `thinking`)
    candidate                       Choice; finishReason (`words`, `candidates`), grounding → citations (`grounding`)
    promptFeedback                  a choice finished "content_filter", where it blocks (`response`)
    usageMetadata                   Usage, made inclusive (`usage`)
    chunk                           events (`chunk_framing`, `stream`, `turns`), and back (`stream_encoder`)
    error                           a ProviderError by status word and details (`errors`), and back (`error_envelope`)
    embedContent                    embeddings (`embeddings`)

Everything else stays in `extras["gemini"]` of the value that it stood on, under its own name; `members` tells how the
form of the wire (spelling, nulls) is kept.
"""
