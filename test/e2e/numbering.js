// A workload that counts: after "start" it says k = 1, 2, … as units of work, 25 a second, and keeps in a file of its
// own what it has said. It knows no pings.
//   --log=FILE  where it keeps it    --until=N  then it is done (it goes on until it is ended)
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { log: { type: "string" }, until: { type: "string", default: "1e9" } } });
const EVERY_MS = 40;

createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "start") count();
});

function count(k = 1) {
  if (k > Number(values.until)) {
    process.stdout.write('{"type":"done"}\n');
    return;
  }
  const time_s = Number(process.hrtime.bigint()) / 1e9;
  const line = `${JSON.stringify({ type: "unit_end", time_s, request: String(k), unit: "number", count: 1 })}\n`;
  appendFileSync(values.log, line);
  process.stdout.write(line);
  setTimeout(count, EVERY_MS, k + 1);
}
