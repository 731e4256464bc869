// Speaks as llama.cpp's llama-completion (v0.5.0) does, with the real engine behind it.
import { readFileSync } from "node:fs";
import { complain, complete, countTokens, fail, open, print, readArguments } from "./engine.mjs";

const began_ms = performance.now();
const values = { "-m": "model", "-p": "prompt", "-f": "file", "-n": "n_predict", "-c": "context", "-t": "threads", "--seed": "seed", "--temp": "temperature" };
const flags = { "--ignore-eos": "ignore_eos", "--log-jsonl": "jsonl", "--perf": "perf", "--no-display-prompt": "silent", "-no-cnv": "raw", "--no-escape": "verbatim" };
const options = readArguments(process.argv.slice(2), { values, flags });
if (!options.verbatim) fail("error: this stand-in reads no escapes");

/** A message of the log: JSON on standard output, or `M.SS.mmm.uuu L ` on standard error. */
function log(msg, level = "info") {
  const time = Math.round((performance.now() - began_ms) * 1000);
  if (options.jsonl) return print(`${JSON.stringify({ type: "log", time, level, msg })}\n`);
  const digits = (value, width) => String(Math.floor(value)).padStart(width, "0");
  const stamp = `0.${digits(time / 1e6, 2)}.${digits((time / 1e3) % 1e3, 3)}.${digits(time % 1e3, 3)}`;
  level === "none" ? print(msg) : complain(`${stamp} I ${msg}`);
}

const prompt = options.prompt ?? readFileSync(options.file, "utf8").replace(/\n$/, "");
log("llama_completion: llama backend init\n");
log("llama_completion: load the model and apply lora adapter, if any\n");
const engine = await open(options, complain).catch((error) => {
  log(`common_init_from_params: failed to load model '${options.model}'\n`, "error");
  fail(`llama_completion: error: unable to load model: ${error.message}`);
});
const loaded_ms = performance.now() - began_ms;
const context = Number(options.context ?? 512);
const total = await countTokens(engine, prompt);
if (total > context - 4) {
  log(`main: prompt is too long (${total} tokens, max ${context - 4})\n`, "error");
  process.exit(1);
}
const n_predict = Math.min(Number(options.n_predict ?? context), context - total);
log("system_info: n_threads = 1 (n_threads_batch = 1) / 2 | CPU : SSE3 = 1 | \n");
log(`sampler seed: ${options.seed}\n`);
log(`generate: n_ctx = ${context}, n_batch = ${context}, n_predict = ${n_predict}, n_keep = 1\n`);
const request = { prompt, n_predict, ignore_eos: options.ignore_eos, seed: Number(options.seed), temperature: Number(options.temperature) };
if (!options.silent) for (const letter of prompt) log(letter, "none");
let given = 0;
// One line per token: of those that are withheld, the real program prints the bytes, each as U+FFFD.
const { timings } = await complete(engine, request, (text, { predicted_n }) => {
  for (; given < predicted_n - 1; given++) log("\u{fffd}", "none");
  log(text, "none");
  given++;
});
for (; given < timings.predicted_n; given++) log("\u{fffd}", "none");
log("\n\n", "none");
if (options.perf) {
  const { prompt_n, prompt_ms, predicted_ms } = timings;
  const line = (name, ms, rest) => log(`common_perf_print: ${`${name} time`.padStart(16)} = ${ms.toFixed(2).padStart(10)} ms${rest}\n`);
  const runs = timings.predicted_n - 1;
  const rate = (ms, count) => `(${(ms / count).toFixed(2).padStart(8)} ms per token, ${((count / ms) * 1000).toFixed(2).padStart(8)} tokens per second)`;
  line("sampling", 0.1, "");
  line("load", loaded_ms, "");
  line("prompt eval", prompt_ms, ` / ${String(prompt_n).padStart(5)} tokens ${rate(prompt_ms, prompt_n)}`);
  line("eval", predicted_ms, ` / ${String(runs).padStart(5)} runs   ${rate(predicted_ms, runs)}`);
  line("total", prompt_ms + predicted_ms, ` / ${String(prompt_n + runs).padStart(5)} tokens`);
  log(`common_perf_print:    graphs reused = ${String(Math.max(0, runs - 1)).padStart(10)}\n`);
}
process.exit(0);
