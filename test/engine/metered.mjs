// A workload with a known truth: metered.mjs MODEL LOADS [REQUESTS [OUTPUT_TOKENS]]. It keeps its events in LOADS.events.
//
// The real engine answers every prompt; its tokens are then handed out at a steady pace, as a slower device would make
// them, so that it is known ahead what each phase is to draw. That is announced in LOADS, which the emulated supply
// follows (docs/rig.md, simulate.load_file), and the events are stamped when the tokens are handed out.
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { complete, open, print } from "./engine.mjs";

const PREFILL_W = 9;
const DECODE_W = 5;
/** What a prompt token and an output token take. */
const PREFILL_S = 0.03;
const DECODE_S = 0.05;
/** A load has to be announced so long before. */
const AHEAD_S = 0.6;
const PAUSE_S = 0.2;

const [model, loads, requests = "5", outputTokens = "30"] = process.argv.slice(2);
const now_ns = () => process.hrtime.bigint();
const ns = (seconds) => BigInt(Math.round(seconds * 1e9));
const say = (line) => print(`${JSON.stringify(line)}\n`);
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sleeps nearly as long as there is time, and looks at the clock for the rest of it. */
async function until(instant_ns) {
  const left_ms = Number(instant_ns - now_ns()) / 1e6 - 3;
  if (left_ms > 0) await rest(left_ms);
  while (now_ns() < instant_ns);
}

function event(type, request, fields = {}) {
  const monotonic_s = Number(now_ns()) / 1e9;
  const line = { type, request, time_s: monotonic_s, monotonic_s, realtime_s: (performance.timeOrigin + performance.now()) / 1000, ...fields };
  say(line);
  appendFileSync(`${loads}.events`, `${JSON.stringify(line)}\n`);
}

const announce = (from_ns, to_ns, power_w) =>
  appendFileSync(loads, `${JSON.stringify({ from_ns: String(from_ns), to_ns: String(to_ns), power_w })}\n`);

async function answer(engine, k) {
  const request = `r${k}`;
  const prompt = `request ${k}: why?`;
  const { timings } = await complete(engine, { prompt, n_predict: Number(outputTokens), ignore_eos: true, cache: false }, () => {});
  const start_ns = now_ns() + ns(AHEAD_S);
  const first_ns = start_ns + ns(timings.prompt_n * PREFILL_S);
  const tokenAt = (n) => first_ns + ns(n * DECODE_S);
  announce(start_ns, first_ns, PREFILL_W);
  announce(first_ns, tokenAt(timings.predicted_n - 1), DECODE_W);
  await until(start_ns);
  event("request_start", request);
  await until(first_ns);
  event("first_token", request, { tokens: timings.prompt_n });
  for (let n = 1; n < timings.predicted_n; n++) {
    await until(tokenAt(n));
    event("token", request, { tokens: 1 });
  }
  event("request_end", request, { output_tokens: timings.predicted_n });
  await rest(PAUSE_S * 1000);
}

const engine = await open({ model });
createInterface({ input: process.stdin, terminal: false })
  .on("line", async (line) => {
    const id = /^ping (\d+)$/.exec(line)?.[1];
    if (id !== undefined) {
      const received_s = Number(now_ns()) / 1e9;
      say({ type: "pong", id: Number(id), received_s, sent_s: Number(now_ns()) / 1e9 });
    } else if (line === "pulses") say({ type: "pulses_unsupported" });
    else if (line === "start") {
      for (let k = 1; k <= Number(requests); k++) await answer(engine, k);
      say({ type: "done" });
    }
  })
  .on("close", () => process.exit(0));
