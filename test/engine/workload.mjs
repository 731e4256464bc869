// Speaks joulebench's device protocol (docs/device-protocol.md) and runs real prompts: workload.mjs MODEL [REQUESTS [OUTPUT_TOKENS]].
// The engine computes in a worker, so that pings are answered while it does. All times are CLOCK_MONOTONIC.
import { createInterface } from "node:readline";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { complete, countTokens, open, print } from "./engine.mjs";

/** Seconds of CLOCK_MONOTONIC, the same in every thread. */
const now_s = () => Number(process.hrtime.bigint()) / 1e9;
const say = (line) => print(`${JSON.stringify(line)}\n`);
/** Lengths of load pulses in ms: pulse, pause, pulse, … as the device protocol gives them. */
const TRAIN = [196, 155, 112, 183, 169, 334, 224, 171, 100, 309, 173, 151, 102, 174, 139, 164, 240, 282, 152, 323, 198, 233, 205];

const event = (fields) => ({ ...fields, time_s: now_s(), realtime_s: (performance.timeOrigin + performance.now()) / 1000 });
const post = (fields) => parentPort.postMessage(event(fields));
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function pulses() {
  for (const [at, length_ms] of TRAIN.entries()) {
    if (at % 2 === 1) {
      await rest(length_ms);
      continue;
    }
    const on_s = now_s();
    while (now_s() < on_s + length_ms / 1000);
    parentPort.postMessage({ type: "pulse", on_s, off_s: now_s() });
  }
  parentPort.postMessage({ type: "pulses_done" });
}

async function work({ model, requests, outputTokens }) {
  post({ type: "load_start", model });
  const engine = await open({ model });
  post({ type: "load_end", model });
  for (let k = 1; k <= requests; k++) {
    const request = `r${k}`;
    const prompt = `request ${k}: why is the sky blue?`;
    const tokens = await countTokens(engine, prompt);
    post({ type: "request_start", request });
    let before = 0;
    const { timings } = await complete(engine, { prompt, n_predict: outputTokens, ignore_eos: true, cache: false }, (_, { predicted_n }) => {
      // A first piece of several tokens: the first of them ends the prefill, the others come with it.
      if (before === 0) post({ type: "first_token", request, tokens });
      const more = predicted_n - Math.max(before, 1);
      if (more > 0) post({ type: "token", request, tokens: more });
      before = predicted_n;
    });
    const withheld = timings.predicted_n - Math.max(before, 1);
    if (withheld > 0) post({ type: "token", request, tokens: withheld });
    post({ type: "request_end", request, output_tokens: timings.predicted_n });
  }
  parentPort.postMessage({ type: "done" });
}

if (!isMainThread) {
  parentPort.on("message", (what) => void (what === "pulses" ? pulses() : work(workerData)));
} else {
  const [model, requests = "5", outputTokens = "16"] = process.argv.slice(2);
  const worker = new Worker(new URL(import.meta.url), { workerData: { model, requests: Number(requests), outputTokens: Number(outputTokens) } });
  worker.on("message", say);
  worker.on("error", (error) => {
    throw error;
  });
  createInterface({ input: process.stdin, terminal: false })
    .on("line", (line) => {
      const received_s = now_s();
      const id = /^ping (\d+)$/.exec(line)?.[1];
      if (id !== undefined) say({ type: "pong", id: Number(id), received_s, sent_s: now_s() });
      else if (line === "pulses" || line === "start") worker.postMessage(line);
    })
    .on("close", () => process.exit(0));
}
