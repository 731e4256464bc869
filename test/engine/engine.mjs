// The real engine, as the programs beside this file use it.
import { execFile } from "node:child_process";
import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const require = createRequire(import.meta.url);
const { addNativeLogListener, loadModel, toggleNativeLog } = require("@fugood/llama.node");

/** The engine's library prints notes of its own to standard output, so `bin/` keeps that for us under another number. */
const OUTPUT = Number(process.env.ENGINE_OUTPUT_FD ?? 1);

const SELF = fileURLToPath(import.meta.url);

/** Written at once and in order, also when the process dies next. */
export const print = (text) => writeSync(OUTPUT, text);
export const complain = (text) => writeSync(2, text);

/** The options of a llama.cpp command line: `--port 1` and `-p x` as values, the flags named in `flags` as true. */
export function readArguments(argv, { values, flags }) {
  const options = {};
  for (let at = 0; at < argv.length; at++) {
    const name = argv[at];
    if (values[name]) options[values[name]] = argv[++at];
    else if (flags[name]) options[flags[name]] = true;
    else fail(`error: invalid argument: ${name}`);
    if (values[name] && options[values[name]] === undefined) fail(`error: expected value for argument: ${name}`);
  }
  return options;
}

export function fail(words, code = 1) {
  complain(`${words}\n`);
  process.exit(code);
}

/**
 * Loads a model; what the engine itself says goes to `log`, in its own words.
 *
 * The library dies of a model that it cannot load once it has said why, so another process tries it first. Rejects then.
 */
export async function open({ model, context, threads }, log = () => {}) {
  await promisify(execFile)(process.execPath, [SELF, model]).catch(({ stderr }) => {
    log(stderr);
    throw new Error("failed to load model");
  });
  return load({ model, context, threads }, log);
}

async function load({ model, context, threads }, log) {
  await toggleNativeLog(true);
  addNativeLogListener((level, text) => log(text, level));
  const info = { model, n_threads: Number(threads ?? 1), n_gpu_layers: 0, n_parallel: 1, use_mmap: false, ctx_shift: false };
  return loadModel({ ...info, n_ctx: Number(context ?? 512) });
}

/** With the beginning of the sequence, which the engine puts before every prompt. */
export const countTokens = async (engine, text) => (await engine.tokenize(text)).tokens.length + 1;

/** The engine hands over the probabilities of all completions since it was loaded, in the first piece of each. */
const handedOver = new WeakMap();

/**
 * One completion. `onPiece` is given each piece of text with the tokens predicted by then: the engine withholds
 * incomplete UTF-8, so that pieces are fewer than tokens.
 */
export async function complete(engine, request, onPiece) {
  const { prompt, n_predict, ignore_eos = false, seed = 1, temperature = 0.8, cache = true } = request;
  if (!cache) engine.clearCache(true);
  const total = await countTokens(engine, prompt);
  const before = handedOver.get(engine) ?? 0;
  const begin_ms = performance.now();
  let first_ms;
  let counted = -before;
  const options = { prompt, n_predict, ignore_eos, seed, temperature, n_probs: 1 };
  const result = await engine.completion(options, ({ token, completion_probabilities: each }) => {
    const now_ms = performance.now() - begin_ms;
    first_ms ??= now_ms;
    counted += each?.length ?? 1;
    onPiece(token, { ...timings(total, first_ms, counted, now_ms - first_ms), id: 100 + (counted % 150) });
  });
  const end_ms = performance.now() - begin_ms;
  await new Promise((resolve) => setTimeout(resolve, 1)); // The last pieces may still be on their way.
  // Of what is withheld at the end no piece tells; the engine stopped at the limit, or at a token that ends the text.
  const predicted_n = result.stopped_limited ? n_predict : Math.max(counted, result.tokens_predicted);
  handedOver.set(engine, before + predicted_n);
  const prompt_n = Math.min(total, Math.max(1, result.timings.prompt_n));
  const whole = timings(prompt_n, first_ms ?? end_ms, predicted_n, end_ms - (first_ms ?? end_ms));
  return { ...result, timings: { ...whole, cache_n: total - prompt_n }, total };
}

function timings(prompt_n, prompt_ms, predicted_n, predicted_ms) {
  return { cache_n: 0, prompt_n, prompt_ms: round(prompt_ms), predicted_n, predicted_ms: round(predicted_ms) };
}

const round = (value) => Math.round(value * 1000) / 1000;

if (process.argv[1] === SELF) {
  await load({ model: process.argv[2], context: 32 }, complain);
  process.exit(0);
}
