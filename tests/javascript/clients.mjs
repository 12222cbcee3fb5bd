// The vendors' official JavaScript clients at a gateway.
//
// Reads one JSON object from its input: { url, key, wrongKey, cases, image, parameters, schema, result }. Does what
// each case says, in their order, and writes one line of JSON for each: { id, outcome }, as the Python clients tell it.

import process from "node:process";

import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";

const task = JSON.parse(await read(process.stdin));
const clients = make(task.key);
const strangers = make(task.wrongKey);

function make(key) {
  return {
    openai: new OpenAI({ baseURL: `${task.url}/v1`, apiKey: key, maxRetries: 0 }),
    anthropic: new Anthropic({ baseURL: task.url, apiKey: key, maxRetries: 0 }),
    google: new GoogleGenAI({ apiKey: key, vertexai: false, httpOptions: { baseUrl: task.url } }),
  };
}

async function read(stream) {
  let text = "";
  for await (const piece of stream) text += piece;
  return text;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// -- chat completions

async function chat({ openai }, wanted) {
  const messages = [{ role: "user", content: wanted.words }];
  const more = {};
  if (wanted.task === "vision") {
    const image = { type: "image_url", image_url: { url: `data:image/png;base64,${task.image}` } };
    messages[0].content = [{ type: "text", text: wanted.words }, image];
  } else if (wanted.task === "schema") {
    const form = { name: "person", schema: task.schema, strict: true };
    more.response_format = { type: "json_schema", json_schema: form };
  } else if (wanted.task === "tools") {
    const tool = { name: "weather", description: "The weather", parameters: task.parameters, strict: true };
    more.tools = [{ type: "function", function: tool }];
  }
  async function ask() {
    const asked = { model: wanted.model, messages, ...more };
    if (!wanted.streamed) return await openai.chat.completions.create(asked);
    const stream = openai.chat.completions.stream({ ...asked, stream_options: { include_usage: true } });
    return await stream.finalChatCompletion();
  }
  let answer = await ask();
  const called = {};
  if (wanted.task === "tools") {
    const { message, finish_reason } = answer.choices[0];
    const calls = message.tool_calls ?? [];
    called.calls = calls.map((call) => [call.function.name, parsed(call.function.arguments)]);
    called.called_finish = finish_reason;
    messages.push({ role: "assistant", content: message.content, tool_calls: calls });
    for (const call of calls) messages.push({ role: "tool", tool_call_id: call.id, content: task.result });
    answer = await ask();
  }
  const { message, finish_reason } = answer.choices[0];
  return {
    text: message.content,
    parsed: parsed(message.content),
    finish: finish_reason,
    input: answer.usage?.prompt_tokens,
    output: answer.usage?.completion_tokens,
    ...called,
  };
}

// -- responses

async function responses({ openai }, wanted) {
  const input = [{ role: "user", content: wanted.words }];
  const more = { store: false };
  if (wanted.task === "vision") {
    const image = { type: "input_image", image_url: `data:image/png;base64,${task.image}`, detail: "auto" };
    input[0].content = [{ type: "input_text", text: wanted.words }, image];
  } else if (wanted.task === "schema") {
    more.text = { format: { type: "json_schema", name: "person", schema: task.schema, strict: true } };
  } else if (wanted.task === "tools") {
    const tool = { name: "weather", description: "The weather", parameters: task.parameters, strict: true };
    more.tools = [{ type: "function", ...tool }];
  }
  async function ask() {
    const asked = { model: wanted.model, input, ...more };
    if (!wanted.streamed) return await openai.responses.create(asked);
    return await openai.responses.stream(asked).finalResponse();
  }
  let answer = await ask();
  const called = {};
  if (wanted.task === "tools") {
    const calls = answer.output.filter((item) => item.type === "function_call");
    called.calls = calls.map((call) => [call.name, parsed(call.arguments)]);
    called.called_finish = answer.status;
    for (const { parsed_arguments: _, ...item } of answer.output) input.push(item);
    for (const call of calls) {
      input.push({ type: "function_call_output", call_id: call.call_id, output: task.result });
    }
    answer = await ask();
  }
  return {
    text: answer.output_text,
    parsed: parsed(answer.output_text),
    finish: answer.status,
    input: answer.usage?.input_tokens,
    output: answer.usage?.output_tokens,
    ...called,
  };
}

// -- messages

async function messages({ anthropic }, wanted) {
  const turns = [{ role: "user", content: wanted.words }];
  const more = {};
  if (wanted.task === "vision") {
    const source = { type: "base64", media_type: "image/png", data: task.image };
    turns[0].content = [
      { type: "image", source },
      { type: "text", text: wanted.words },
    ];
  } else if (wanted.task === "schema") {
    more.output_config = { format: { type: "json_schema", schema: task.schema } };
  } else if (wanted.task === "tools") {
    more.tools = [{ name: "weather", description: "The weather", input_schema: task.parameters }];
  }
  async function ask() {
    const asked = { model: wanted.model, max_tokens: 99, messages: turns, ...more };
    if (!wanted.streamed) return await anthropic.messages.create(asked);
    return await anthropic.messages.stream(asked).finalMessage();
  }
  let answer = await ask();
  const called = {};
  if (wanted.task === "tools") {
    const calls = answer.content.filter((block) => block.type === "tool_use");
    called.calls = calls.map((call) => [call.name, call.input]);
    called.called_finish = answer.stop_reason;
    turns.push({ role: "assistant", content: answer.content });
    const results = calls.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: task.result }));
    turns.push({ role: "user", content: results });
    answer = await ask();
  }
  const text = answer.content.map((block) => (block.type === "text" ? block.text : "")).join("");
  return {
    text,
    parsed: parsed(text),
    finish: answer.stop_reason,
    input: answer.usage.input_tokens,
    output: answer.usage.output_tokens,
    ...called,
  };
}

// -- generateContent

async function generate({ google }, wanted) {
  const contents = [{ role: "user", parts: [{ text: wanted.words }] }];
  const config = {};
  if (wanted.task === "vision") {
    contents[0].parts.push({ inlineData: { mimeType: "image/png", data: task.image } });
  } else if (wanted.task === "schema") {
    config.responseMimeType = "application/json";
    config.responseJsonSchema = task.schema;
  } else if (wanted.task === "tools") {
    const tool = { name: "weather", description: "The weather", parametersJsonSchema: task.parameters };
    config.tools = [{ functionDeclarations: [tool] }];
  }
  async function ask() {
    const asked = { model: wanted.model, contents, config };
    if (!wanted.streamed) return joined([await google.models.generateContent(asked)]);
    const answers = [];
    for await (const answer of await google.models.generateContentStream(asked)) answers.push(answer);
    return joined(answers);
  }
  let answer = await ask();
  const called = {};
  if (wanted.task === "tools") {
    const calls = answer.parts.filter((part) => part.functionCall).map((part) => part.functionCall);
    called.calls = calls.map((call) => [call.name, call.args]);
    called.called_finish = answer.finish;
    contents.push({ role: "model", parts: answer.parts });
    const results = calls.map(({ id, name }) => ({
      functionResponse: { ...(id ? { id } : {}), name, response: { result: task.result } },
    }));
    contents.push({ role: "user", parts: results });
    answer = await ask();
  }
  const text = answer.parts.map((part) => part.text ?? "").join("");
  return { ...answer, text, parsed: parsed(text), ...called };
}

function joined(answers) {
  const told = { parts: [] };
  for (const answer of answers) {
    const candidate = answer.candidates?.[0];
    told.parts.push(...(candidate?.content?.parts ?? []));
    told.finish = candidate?.finishReason ?? told.finish;
    told.input = answer.usageMetadata?.promptTokenCount ?? told.input;
    told.output = answer.usageMetadata?.candidatesTokenCount ?? told.output;
  }
  return told;
}

// -- listing

async function listed(own, wanted) {
  const names = [];
  if (wanted.client === "gemini") {
    for await (const model of await own.google.models.list()) {
      const one = await own.google.models.get({ model: model.name.replace(/^models\//, "") });
      names.push(one.name.replace(/^models\//, ""));
    }
    return { names };
  }
  const { models } = wanted.client === "anthropic" ? own.anthropic : own.openai;
  for await (const model of models.list()) names.push((await models.retrieve(model.id)).id);
  return { names };
}

// -- errors

function told(error) {
  const headers = error.headers;
  const header = (name) => (headers?.get ? headers.get(name) : (headers?.[name] ?? null));
  return {
    kind: error.constructor.name,
    status: error.status ?? null,
    says: String(error.message),
    retry_after: header("retry-after"),
    should_retry: header("x-should-retry"),
  };
}

const ways = { "openai-chat": chat, "openai-responses": responses, anthropic: messages, gemini: generate };

for (const wanted of task.cases) {
  const own = wanted.task === "wrong_key" ? strangers : clients;
  let outcome;
  try {
    outcome = await (wanted.task === "listing" ? listed : ways[wanted.client])(own, wanted);
  } catch (error) {
    outcome = { error: told(error) };
  }
  process.stdout.write(`${JSON.stringify({ id: wanted.id, outcome })}\n`);
}
