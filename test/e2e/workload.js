// A small inference workload: answers pings on its own clock, and on "start" answers a few short prompts.
//   --requests=N  prompts to answer (3)
//   --clock=realtime  stamps its events with that clock; its pongs are always monotonic
//   --fault=KIND  exit: complains and ends with code 1 after the first; hang: never says done; deaf: answers no ping
//                 garbage: prints lines that are none of the protocol; leave: ends well without saying done
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const text = (byDefault) => ({ type: "string", default: byDefault });
const { values } = parseArgs({ options: { requests: text("3"), clock: text("monotonic"), fault: text("") } });
const fault = values.fault;
const now_s = () => Number(process.hrtime.bigint()) / 1e9;
const stamp_s = values.clock === "realtime" ? () => (performance.timeOrigin + performance.now()) / 1000 : now_s;
const print = (line) => process.stdout.write(`${line}\n`);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const say = (type, more = {}) => print(JSON.stringify({ type, time_s: stamp_s(), ...more }));

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const received_s = now_s();
    const [word, id] = line.split(" ");
    if (word === "ping" && fault !== "deaf") print(JSON.stringify({ type: "pong", id: Number(id), received_s, sent_s: now_s() }));
    else if (word === "pulses") print('{"type":"pulses_unsupported"}');
    else if (word === "start") work();
  })
  .on("close", () => process.exit(0));

async function work() {
  for (let n = 1; n <= Number(values.requests); n++) {
    const request = `r${n}`;
    say("request_start", { request });
    await sleep(150);
    say("first_token", { request, tokens: 20 });
    for (let k = 0; k < 5; k++) {
      await sleep(40);
      say("token", { request, tokens: 1 });
    }
    say("request_end", { request });
    if (fault === "garbage") print("llama_perf_context_print: load time = 12 ms \u0000\u001b[31m");
    if (fault === "exit") {
      process.stderr.write("CUDA error: out of memory\n");
      process.exit(1);
    }
    await sleep(50);
  }
  if (fault === "leave") process.exit(0);
  if (fault !== "hang") print('{"type":"done"}');
}
