// Speaks as llama.cpp's llama-server (v0.5.0) does, with the real engine behind it.
import { createServer } from "node:http";
import { basename } from "node:path";
import { complain, complete, countTokens, fail, open, readArguments } from "./engine.mjs";

const values = { "-m": "model", "--host": "host", "--port": "port", "-np": "slots", "-c": "context", "-t": "threads" };
const options = readArguments(process.argv.slice(2), { values, flags: { "--metrics": "metrics" } });
const context = Number(options.context ?? 512);
const name = basename(options.model);
const totals = { prompt: 0, cached: 0, prompt_ms: 0, predicted: 0, predicted_ms: 0 };
let engine;
/** Requests wait for each other: one slot. */
let busy = Promise.resolve();

const perToken = (ms, n) => (n > 0 ? ms / n : 0);
const perSecond = (ms, n) => (ms > 0 ? (n / ms) * 1000 : 0);
const spelt = ({ cache_n, prompt_n, prompt_ms, predicted_n, predicted_ms }) => ({
  ...{ cache_n, prompt_n, prompt_ms, prompt_per_token_ms: perToken(prompt_ms, prompt_n), prompt_per_second: perSecond(prompt_ms, prompt_n) },
  ...{ predicted_n, predicted_ms, predicted_per_token_ms: perToken(predicted_ms, predicted_n), predicted_per_second: perSecond(predicted_ms, predicted_n) },
});

function json(response, status, value) {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", server: "llama.cpp" });
  response.end(JSON.stringify(value));
}

const refuse = (response, code, message, type, more = {}) => json(response, code, { error: { code, message, type, ...more } });

/** What the answer repeats of a prompt of token ids. */
const textOf = (prompt) => (Array.isArray(prompt) ? prompt.map((id) => `<${id}>`).join("") : prompt);
const chatText = (messages) => `${messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`).join("")}<|im_start|>assistant\n`;

/** Server-sent events of `/completion`. */
function completionStream(body, total, send) {
  const head = (content, more) => ({ index: 0, content, ...more });
  const state = (tokens_predicted) => ({ stop: false, id_slot: -1, tokens_predicted, tokens_evaluated: total });
  return {
    progress: (timings, prompt_progress) => send(head("", { tokens: [0], ...state(0), timings, prompt_progress })),
    piece: (text, { id, ...timings }) => send(head(text, { tokens: [id], ...state(timings.predicted_n), ...(body.timings_per_token ? { timings: spelt(timings) } : {}) })),
    end: (timings, stop_type) => {
      const { seed, temperature, n_predict, ignore_eos, stream, timings_per_token } = body;
      const generation_settings = { seed, temperature, max_tokens: n_predict, n_predict, ignore_eos, stream, timings_per_token };
      const counts = { tokens_predicted: timings.predicted_n, tokens_evaluated: total, generation_settings };
      const ending = { has_new_line: false, truncated: false, stop_type, stopping_word: "", tokens_cached: total + timings.predicted_n - 1 };
      send(head("", { tokens: [], id_slot: 0, stop: true, model: name, ...counts, prompt: `<s> ${textOf(body.prompt)}`, ...ending, timings: spelt(timings) }));
    },
  };
}

/** Server-sent events of `/v1/chat/completions`. */
function chatStream(body, total, send) {
  const created = Math.floor(Date.now() / 1000);
  const chunk = { created, id: `chatcmpl-${created}`, model: name, system_fingerprint: "b1-de3ff81", object: "chat.completion.chunk" };
  const delta = (content, finish_reason = null) => ({ choices: [{ finish_reason, index: 0, delta: content }], ...chunk });
  return {
    progress: (timings, prompt_progress) => send({ ...delta({ role: "assistant", content: null }), timings, prompt_progress }),
    piece: (content, { id: _, ...timings }) => send({ ...delta({ content }), ...(body.timings_per_token ? { timings: spelt(timings) } : {}) }),
    end: (timings, stop_type) => {
      send(delta({}, stop_type === "limit" ? "length" : "stop"));
      const { cache_n, predicted_n } = timings;
      const usage = { completion_tokens: predicted_n, prompt_tokens: total, total_tokens: total + predicted_n, prompt_tokens_details: { cached_tokens: cache_n } };
      send({ choices: [], ...chunk, usage, timings: spelt(timings) });
      send("[DONE]");
    },
  };
}

async function answer(response, body, isChat) {
  const prompt = isChat ? chatText(body.messages) : body.prompt;
  const total = await countTokens(engine, prompt);
  if (total >= context) {
    const message = `request (${total} tokens) exceeds the available context size (${context} tokens), try increasing it`;
    return refuse(response, 400, message, "exceed_context_size_error", { n_prompt_tokens: total, n_ctx: context });
  }
  response.writeHead(200, { "content-type": "text/event-stream", server: "llama.cpp" });
  const send = (value) => response.write(`data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`);
  const stream = (isChat ? chatStream : completionStream)(body, total, send);
  const zero = spelt({ cache_n: 0, prompt_n: 0, prompt_ms: 0, predicted_n: 0, predicted_ms: 0 });
  if (body.return_progress) stream.progress(zero, { total, cache: 0, processed: 0, time_ms: 0 });
  const asked = (isChat ? body.max_tokens : body.n_predict) ?? -1;
  const n_predict = asked < 0 ? context - total : Math.min(asked, context - total);
  const request = { prompt, n_predict, ignore_eos: body.ignore_eos, seed: body.seed, temperature: body.temperature, cache: body.cache_prompt };
  const { timings, stopped_eos } = await complete(engine, request, (text, state) => stream.piece(text, state), () => response.destroyed);
  stream.end(timings, stopped_eos ? "eos" : "limit");
  totals.prompt += timings.prompt_n;
  totals.cached += timings.cache_n;
  totals.prompt_ms += timings.prompt_ms;
  totals.predicted += timings.predicted_n;
  totals.predicted_ms += timings.predicted_ms;
  response.end();
}

function metrics() {
  const rows = [
    ["prompt_tokens_total", "counter", "Number of prompt tokens processed, excluding cached tokens", totals.prompt],
    ["prompt_tokens_cached_total", "counter", "Number of prompt tokens reused from the cache", totals.cached],
    ["prompt_seconds_total", "counter", "Total time spent processing prompts", totals.prompt_ms / 1000],
    ["tokens_predicted_total", "counter", "Number of generation tokens processed", totals.predicted],
    ["tokens_predicted_seconds_total", "counter", "Total time spent generating tokens", totals.predicted_ms / 1000],
    ["requests_processing", "gauge", "Number of requests processing", 0],
  ];
  return rows.map(([key, type, help, value]) => `# HELP llamacpp:${key} ${help}\n# TYPE llamacpp:${key} ${type}\nllamacpp:${key} ${value}\n`).join("");
}

async function handle(request, response) {
  let text = "";
  for await (const chunk of request) text += chunk;
  if (!engine) return refuse(response, 503, "Loading model", "unavailable_error");
  if (request.url === "/health") return json(response, 200, { status: "ok" });
  if (request.url === "/metrics" && options.metrics) return response.end(metrics());
  const isChat = request.url === "/v1/chat/completions";
  if (request.method !== "POST" || !(isChat || request.url === "/completion")) return refuse(response, 404, "File Not Found", "not_found_error");
  busy = busy.then(() => answer(response, JSON.parse(text), isChat)).catch((error) => response.destroy(error));
}

complain("0.00.001.540 I srv  llama_server: initializing ...\n");
const server = createServer(handle);
server.on("error", () => {
  complain(`0.00.003.000 E srv  start: couldn't bind HTTP server socket, hostname: ${options.host}, port: ${options.port}\n`);
  fail("0.00.003.100 E srv  llama_server: exiting due to HTTP server error");
});
server.listen(Number(options.port), options.host, async () => {
  complain(`0.00.005.279 I srv    load_model: loading model '${options.model}'\n`);
  engine = await open(options, complain).catch((error) => {
    complain(`0.00.006.000 E srv    load_model: failed to load model, '${options.model}': ${error.message}\n`);
    fail("0.00.006.100 E srv  llama_server: exiting due to model loading error");
  });
  complain("0.00.018.120 I srv  llama_server: model loaded\n");
  complain(`0.00.018.163 I srv  llama_server: listening on http://${options.host}:${options.port}\n`);
});
process.on("SIGTERM", () => process.exit(0));
