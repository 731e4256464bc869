// Load pulses on every core, for a workload in Node: docs/device-protocol.md, "Load pulses".
// As a program of its own it answers `ping <id>` and `pulses`, and does nothing else.
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isMainThread, Worker, workerData } from "node:worker_threads";

const now_s = () => Number(process.hrtime.bigint()) / 1e9; // the clock of the pongs
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Lengths in milliseconds: pulse, pause, pulse, … pulse. */
const CODE_MS = [196, 155, 112, 183, 169, 334, 224, 171, 100, 309, 173, 151, 102, 174, 139, 164, 240, 282, 152, 323, 198, 233, 205];
const IDLE = 0;
const BUSY = 1;
const OVER = 2;

/** Spins while the flag says so; sleeps, drawing nothing, while it does not. */
function spin(flag) {
  while (Atomics.load(flag, 0) !== OVER) {
    Atomics.wait(flag, 0, IDLE);
    while (Atomics.load(flag, 0) === BUSY);
  }
}

/** Runs the train and prints each pulse with the times at which it began and ended. */
export async function pulses() {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const set = (state) => {
    Atomics.store(flag, 0, state);
    Atomics.notify(flag, 0);
    return now_s();
  };
  // One core stays free: it keeps the time and answers pings.
  const count = Math.max(1, availableParallelism() - 1);
  const workers = Array.from({ length: count }, () => new Worker(fileURLToPath(import.meta.url), { workerData: flag.buffer }));
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("online", resolve))));
  await pause(200);
  for (let k = 0; k < CODE_MS.length; k += 2) {
    const on_s = set(BUSY);
    await pause(CODE_MS[k]);
    const off_s = set(IDLE);
    print({ type: "pulse", on_s, off_s });
    if (CODE_MS[k + 1]) await pause(CODE_MS[k + 1]);
  }
  set(OVER);
  await Promise.all(workers.map((worker) => worker.terminate()));
  print({ type: "pulses_done" });
}

if (!isMainThread) spin(new Int32Array(workerData));
else if (process.argv[1] === fileURLToPath(import.meta.url))
  createInterface({ input: process.stdin, terminal: false })
    .on("line", (line) => {
      const received_s = now_s();
      const id = /^ping (\d+)$/.exec(line)?.[1];
      if (id !== undefined) print({ type: "pong", id: Number(id), received_s, sent_s: now_s() });
      else if (line === "pulses") void pulses();
    })
    .on("close", () => process.exit(0));
