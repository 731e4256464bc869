import type { ChatMessage, EngineRequest } from "../model/engine.ts";
import { JoulebenchError } from "../model/errors.ts";

/** How the server samples, and which of its endpoints is asked. */
export interface CallOptions {
  readonly endpoint?: "completion" | "chat" | undefined;
  readonly seed: number;
  readonly temperature: number;
}

/** One HTTP request. */
export interface Call {
  readonly form: "completion" | "chat";
  readonly endpoint: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * The HTTP request for one of the plan's: lengths alone go out as that many token ids, a chat to the chat endpoint.
 *
 * @throws JoulebenchError `config` when the endpoint cannot take what is asked
 */
export function callFor(request: EngineRequest, { endpoint, seed, temperature }: CallOptions): Call {
  const { id, prompt, promptTokens, outputTokens, ignoresEos = false, reusesCache = false } = request;
  const shared = { stream: true, timings_per_token: true, return_progress: true, cache_prompt: reusesCache, seed, temperature };
  const refuse = (why: string): JoulebenchError => new JoulebenchError("config", "llama-server", `request ${id}: ${why}`);
  if (endpoint === "chat" || (endpoint === undefined && Array.isArray(prompt))) {
    if (prompt === undefined) throw refuse("the chat endpoint takes messages, not a number of tokens; leave endpoint out");
    const messages: readonly ChatMessage[] = typeof prompt === "string" ? [{ role: "user", content: prompt }] : prompt;
    const limit = outputTokens === undefined ? {} : { max_tokens: outputTokens };
    const body = { messages, ...limit, ignore_eos: ignoresEos, stream_options: { include_usage: true }, ...shared };
    return { form: "chat", endpoint: "/v1/chat/completions", body };
  }
  if (prompt !== undefined && typeof prompt !== "string")
    throw refuse("the completion endpoint takes a text, not a chat; leave endpoint out");
  if (prompt === undefined && !promptTokens) throw refuse("it has neither a prompt nor prompt_tokens");
  const limit = outputTokens === undefined ? {} : { n_predict: outputTokens };
  const body = { prompt: prompt ?? tokenIds(promptTokens ?? 0), ...limit, ignore_eos: ignoresEos, ...shared };
  return { form: "completion", endpoint: "/completion", body };
}

/** So many ids, 100 to 249 in no order: every vocabulary in use has them, as text or, the first few of Gemma, as spares. None ends a text. */
const tokenIds = (count: number): number[] => Array.from({ length: count }, (_, at) => 100 + ((at * 67 + (at >> 4)) % 150));

/** What the lines of one answer have said so far. */
export class AnswerLines {
  text = "";
  /** The last line of a stream came. */
  isWhole = false;
  /** The server's own words when it broke off. */
  error: string | undefined;

  add(line: string): void {
    const data = /^(?:data|error): ?(.*)$/.exec(line)?.[1];
    if (data === undefined) return;
    if (data.trim() === "[DONE]") this.isWhole = true;
    else this.#read(parse(data));
  }

  #read(value: Readonly<Record<string, unknown>>): void {
    if (value.error !== undefined) this.error = message(value.error);
    if (value.stop === true) this.isWhole = true;
    const [choice] = Array.isArray(value.choices) ? value.choices : [];
    const content = value.content ?? (choice as { delta?: { content?: unknown } } | undefined)?.delta?.content;
    if (typeof content === "string") this.text += content;
  }
}

/** The message of an error body, or the body. */
export function errorWords(body: string): string {
  const { error } = parse(body);
  return error === undefined ? body : message(error);
}

const message = (error: unknown): string =>
  typeof error === "object" && error !== null && "message" in error
    ? String(error.message)
    : typeof error === "string"
      ? error
      : JSON.stringify(error);

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {}; // Half a line of a server that died; the stream's end says so.
  }
}
