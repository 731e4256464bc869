// Speaks as llama.cpp's llama-bench (v0.5.0) does with -o jsonl --progress, with the real engine behind it.
import { basename } from "node:path";
import { complain, complete, fail, open, print, readArguments } from "./engine.mjs";

const values = { "-m": "model", "-p": "n_prompt", "-n": "n_gen", "-r": "runs", "-o": "output", "-t": "threads" };
const options = readArguments(process.argv.slice(2), { values, flags: { "--progress": "progress" } });
const engine = await open({ ...options, context: 2048 }, complain).catch(() => fail(`main: error: failed to load model '${options.model}'`));
const tests = [
  { n_prompt: Number(options.n_prompt), n_gen: 0, what: "prompt" },
  { n_prompt: 0, n_gen: Number(options.n_gen), what: "generation" },
].filter(({ n_prompt, n_gen }) => n_prompt + n_gen > 0);

/** So many tokens prefilled, or generated, and the nanoseconds it took. */
async function measure({ n_prompt, n_gen }) {
  const begin_ns = process.hrtime.bigint();
  const { timings } = await complete(engine, { prompt: "a".repeat(Math.max(1, n_prompt - 2)), n_predict: Math.max(1, n_gen), ignore_eos: true, cache: false }, () => {});
  const took_ns = Number(process.hrtime.bigint() - begin_ns);
  return Math.max(1, Math.round(n_gen > 0 ? timings.predicted_ms * 1e6 : Math.min(took_ns, timings.prompt_ms * 1e6)));
}

for (const [at, test] of tests.entries()) {
  const progress = (text) => options.progress && complain(`llama-bench: benchmark ${at + 1}/${tests.length}: ${text}\n`);
  progress("starting");
  progress(`warmup ${test.what} run`);
  await measure(test);
  const samples_ns = [];
  for (let run = 1; run <= Number(options.runs); run++) {
    progress(`${test.what} run ${run}/${options.runs}`);
    samples_ns.push(await measure(test));
  }
  const samples_ts = samples_ns.map((ns) => ((test.n_prompt + test.n_gen) * 1e9) / ns);
  const { n_prompt, n_gen } = test;
  const build = { build_commit: "de3ff81", build_number: 1, cpu_info: "", gpu_info: "", backends: "CPU", model_filename: basename(options.model) };
  const sizes = { n_batch: 2048, n_ubatch: 512, n_threads: Number(options.threads ?? 1), n_prompt, n_gen, n_depth: 0 };
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const times = { test_time: `${new Date().toISOString().slice(0, 19)}Z`, avg_ns: Math.round(mean(samples_ns)), stddev_ns: 0, avg_ts: mean(samples_ts), stddev_ts: 0 };
  print(`${JSON.stringify({ ...build, ...sizes, ...times, samples_ns, samples_ts })}\n`);
}
process.exit(0);
