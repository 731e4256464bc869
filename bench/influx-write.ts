import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setImmediate as turn } from "node:timers/promises";
import { InfluxDB } from "influx";
import { LIMITS } from "../src/sinks/courier.ts";
import { openInflux } from "../src/sinks/influx.ts";
import { Options } from "../src/sinks/influx-options.ts";
import { Points } from "../src/sinks/influx-points.ts";
import { check } from "./cpu.ts";
import { report } from "./row.ts";

const POINTS = 200_000;
const ROUNDS = 5;
const ORIGIN = { rig: "bench", host: "lab-1", session: "s-1", wallStart_ns: 1_767_323_045_123_456_789n, work: {} };

const mean = (k: number) => ({ source: "meter.main", start_s: k / 10, end_s: (k + 1) / 10, mean_w: 4 + (k % 97) / 97, min_w: 3, max_w: 5 });

/** A real influxd on loopback with files of its own. */
async function startInfluxd(dir: string): Promise<{ readonly process: ChildProcess; readonly port: number }> {
  const path = join(dir, "influxd.conf");
  writeFileSync(
    path,
    `reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "${dir}/meta"
[data]
  dir = "${dir}/data"
  wal-dir = "${dir}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:0"
  log-enabled = false
[monitor]
  store-enabled = false
`,
  );
  const child = spawn("influxd", ["run", "-config", path], { stdio: ["ignore", "ignore", "pipe"] });
  process.once("exit", () => child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stderr })) {
    const port = /msg="Listening on HTTP".* addr=127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    child.stderr.resume();
    return { process: child, port: Number(port) };
  }
  throw new Error("influxd ended before it listened; scripts/install-test-packages.sh installs it");
}

/** What the database takes when nothing has to be encoded or kept: bodies made beforehand, one after the other. */
async function preEncoded(port: number, database: string, bodies: readonly Buffer[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const body of bodies)
    await new Promise<void>((resolve, reject) => {
      const path = `/write?db=${database}&precision=ns`;
      const call = request(
        { host: "127.0.0.1", port, agent, method: "POST", path, headers: { "Content-Length": body.length } },
        (response) => {
          check(response.statusCode === 204, `influxd said ${response.statusCode}`);
          response.resume().once("end", resolve);
        },
      );
      call.once("error", reject).end(body);
    });
  agent.destroy();
}

/** The sink: encoded, appended to its outbox, read from there and sent. */
async function bySink(port: number, database: string, dir: string): Promise<void> {
  const options = Options.parse({ port, database, gzip: false });
  const quiet = { fault: () => undefined, notice: () => undefined };
  const sink = openInflux(options, { ...ORIGIN, outbox: join(dir, database), ...quiet }, LIMITS);
  for (let k = 0; k < POINTS; k++) {
    sink.power?.(mean(k));
    if (k % 200 === 0) await turn();
  }
  const { sent } = await sink.close({ within_ms: 120_000, fruitless_ms: 60_000 });
  check(sent === POINTS, `the sink sent ${sent} of ${POINTS} points`);
}

function bodiesOf(): Buffer[] {
  const points = new Points({ ...ORIGIN, tags: {} });
  const lines = Array.from({ length: POINTS }, (_, k) => points.power(mean(k))!);
  return Array.from({ length: POINTS / LIMITS.batch_points }, (_, n) =>
    Buffer.from(`${lines.slice(n * LIMITS.batch_points, (n + 1) * LIMITS.batch_points).join("\n")}\n`),
  );
}

async function measure(dir: string): Promise<void> {
  const influxd = await startInfluxd(dir);
  const client = new InfluxDB({ host: "127.0.0.1", port: influxd.port });
  const bodies = bodiesOf();
  const least = { theirs: Number.POSITIVE_INFINITY, ours: Number.POSITIVE_INFINITY };
  for (let round = 0; round <= ROUNDS; round++) {
    // A database each: what is there already would be written over, which is other work.
    for (const [who, write] of [
      ["theirs", (database: string) => preEncoded(influxd.port, database, bodies)],
      ["ours", (database: string) => bySink(influxd.port, database, dir)],
    ] as const) {
      const database = `${who}_${round}`;
      await client.createDatabase(database);
      const began = performance.now();
      await write(database);
      if (round > 0) least[who] = Math.min(least[who], (performance.now() - began) / 1000);
      const [row] = await client.query<{ count: number }>("select count(power_w) from power", { database });
      check(row?.count === POINTS, `influxd has ${row?.count} of ${POINTS} points`);
    }
  }
  influxd.process.kill("SIGKILL");
  const rate = (seconds: number): number => POINTS / seconds / 1000;
  const theirs = rate(least.theirs);
  report({
    what: "points to influxd, outbox included",
    ours: rate(least.ours),
    unit: "k points/s",
    against: "bodies made beforehand",
    theirs,
    target: { atLeast: 0.9 * theirs },
  });
}

const dir = mkdtempSync(join(tmpdir(), "joulebench-bench-"));
try {
  await measure(dir);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
