// Records like a bench: flush every 50 ms, sync every 500 ms. On standard output, written before anything else can
// happen: "i <seq> <ns>" what is about to be issued, "a <from> <to> <ns>" what the disk acknowledged, "n <text>" notices, "f ..." at the end.
// Arguments: folder of the session, reserve in bytes, records per second, seconds.
import { readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createSessionFolder } from "../../dist/session/folder.js";
import { TapeWriter } from "../../dist/store/tape-writer.js";

const [dir, reserve_bytes, rate_hz, lasts_s] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const now = () => Number(process.hrtime.bigint());
const say = (text) => writeSync(1, `${text}\n`);

// As in oracle.ts.
const bytesOf = (seq) => Uint8Array.from({ length: 20 + ((seq * 7919) % 180) }, (_, k) => (seq * 31 + k * 7) & 0xff);
const recordOf = (seq, host_ns) =>
  seq % 8 === 7
    ? { seq, host_ns, source: "session", kind: "control", bytes: new TextEncoder().encode(JSON.stringify({ note: seq })) }
    : { seq, host_ns, source: "meter", kind: "rx", bytes: bytesOf(seq) };

let folder;
let tape;
try {
  folder = createSessionFolder("faults", dir);
  tape = new TapeWriter(join(dir, "tape"), {
    onRefusal: "pause",
    reserve_bytes,
    acknowledged: (from, to) => say(`a ${from} ${to} ${now()}`),
    notice: (message) => say(`n ${message}`),
  });
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(error.kind === "link" ? 3 : 4);
}

const began_ns = now();
let seq = 0;
let ticks = 0;
const resources = () => ({ fds: readdirSync("/proc/self/fd").length, rss_mb: process.memoryUsage().rss / 1e6 });
let before;

const timer = setInterval(() => {
  const host_ns = now();
  const due = Math.floor(((host_ns - began_ns) / 1e9) * rate_hz);
  if (due > seq) say(`i ${due - 1} ${host_ns}`);
  while (seq < due) tape.append(recordOf(seq++, host_ns));
  if (ticks % 5 === 0) tape.flush();
  if (ticks++ % 50 === 49) void tape.sync();
  if (ticks === 60) before = resources();
  if ((host_ns - began_ns) / 1e9 > lasts_s) void end();
}, 10);

let isEnding = false;
async function end() {
  if (isEnding) return;
  isEnding = true;
  clearInterval(timer);
  const after = resources();
  const code = await tape.close().then(
    () => 0,
    (error) => {
      process.stderr.write(`${error.message}\n`);
      return 4;
    },
  );
  folder.release();
  const { user, system } = process.cpuUsage();
  say(`f ${JSON.stringify({ code, seq, before, after, cpu_s: (user + system) / 1e6 })}`);
  process.exitCode = code;
}

// The second signal ends it at once, with everything handed over that was heard.
for (const signal of ["SIGTERM", "SIGINT"])
  process.on(signal, () => {
    if (isEnding) {
      tape.flush();
      process.exit(130);
    }
    void end();
  });
