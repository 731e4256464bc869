// The real engine, as the programs beside this file use it.
import { writeSync } from "node:fs";
import { getLlama, LlamaLogLevel } from "node-llama-cpp";

export const print = (text) => writeSync(1, text);
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

/** Loads a model; what the engine itself complains of goes to `log`, in its own words. */
export async function open({ model, context, threads }, log = () => {}) {
  const logger = (_level, words) => log(`${words}\n`);
  const llama = await getLlama({ gpu: false, build: "never", progressLogs: false, logLevel: LlamaLogLevel.error, logger });
  const loaded = await llama.loadModel({ modelPath: model });
  const made = await loaded.createContext({ contextSize: Number(context ?? 512), sequences: 1, threads: Number(threads ?? 1), failedCreationRemedy: false });
  return new Engine(loaded, made.getSequence());
}

/** A model with one sequence of its own. */
class Engine {
  #model;
  #sequence;

  constructor(model, sequence) {
    this.#model = model;
    this.#sequence = sequence;
  }

  /** With the beginning of the sequence, which llama.cpp puts before every text; tokens are taken as they are. */
  tokensOf(prompt) {
    return typeof prompt === "string" ? [this.#model.tokens.bos, ...this.#model.tokenize(prompt)] : [...prompt];
  }

  /** Of the tokens those whose state is not known from before; at least one, since something has to be evaluated. */
  async unknownOf(tokens, usesCache) {
    if (!usesCache) await this.#sequence.clearHistory();
    await this.#sequence.adaptStateToTokens(tokens.slice(0, -1), false);
    return tokens.slice(this.#sequence.nextTokenIndex);
  }

  predict(tokens, options) {
    return this.#sequence.evaluate(tokens, { ...options, yieldEogToken: true });
  }

  isEnd(token) {
    return this.#model.isEogToken(token);
  }

  /** The tokens' text, with U+FFFD for bytes that are no whole character yet. */
  textOf(tokens) {
    return this.#model.detokenize(tokens);
  }
}

export const countTokens = (engine, prompt) => engine.tokensOf(prompt).length;

/**
 * One completion of a text or of tokens. `onPiece` is given each piece of text with the tokens predicted by then:
 * incomplete UTF-8 is withheld, as llama.cpp does, so that pieces are fewer than tokens. `isStopped` is asked after each.
 */
export async function complete(engine, request, onPiece, isStopped = () => false) {
  const { prompt, n_predict, ignore_eos = false, seed = 1, temperature = 0.8, cache = true } = request;
  const tokens = engine.tokensOf(prompt);
  const begin_ms = performance.now();
  const unknown = await engine.unknownOf(tokens, cache);
  const counts = { cache_n: tokens.length - unknown.length, prompt_n: unknown.length };
  let [first_ms, predicted_n, stopped_eos, held] = [undefined, 0, false, []];
  const timings = () => {
    const now_ms = performance.now() - begin_ms;
    return { ...counts, prompt_ms: round(first_ms ?? now_ms), predicted_n, predicted_ms: round(now_ms - (first_ms ?? now_ms)) };
  };
  for await (const token of engine.predict(unknown, { temperature, seed })) {
    first_ms ??= performance.now() - begin_ms;
    predicted_n++;
    stopped_eos = engine.isEnd(token) && !ignore_eos;
    if (stopped_eos || isStopped()) break;
    held.push(token);
    const text = engine.textOf(held);
    // Four bytes are the longest character there is: what is broken then stays so.
    if (!text.endsWith("\u{fffd}") || held.length >= 4) {
      onPiece(text, { ...timings(), id: token });
      held = [];
    }
    if (predicted_n >= n_predict) break;
    await new Promise(setImmediate); // Whoever reads is served, and whoever hangs up is heard.
  }
  return { timings: timings(), stopped_eos, total: tokens.length };
}

const round = (value) => Math.round(value * 1000) / 1000;
