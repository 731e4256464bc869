import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import type { Sink, SinkOutcome } from "../../src/model/sink.ts";
import { LIMITS } from "../../src/sinks/courier.ts";
import { event, mean, open, QUICK } from "../sinks/bench.ts";
import { Influxd } from "../sinks/influxd.ts";
import { ScriptedServer, say, type Write } from "../sinks/scripted.ts";
import { heapBytes, pace, type Row, table } from "./table.ts";

/*
 * Everything a database can do wrong while a session is told to it, one row each, against a real influxd, and where
 * that cannot be made to do it, through a server that passes on to a real one what it does not spoil. The oracle is
 * what was told: of so many points so many must be there, each once.
 */

const LIVE_HZ = 200;
/** As `resend` waits. */
const PATIENT = { within_ms: 120_000, fruitless_ms: 60_000 };

let influxd: Influxd;
let server: ScriptedServer | undefined;
const rows: Row[] = [];
beforeEach(async () => {
  influxd = await Influxd.start({ max_body_bytes: 200_000 });
  await influxd.client().createDatabase("joulebench");
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  await influxd.stop();
});
afterAll(() => process.stdout.write(`\n${table(rows)}\n`));

const stored = async (): Promise<number> => {
  const [row] = await influxd.client().query<{ count: number }>("select count(power_w) from power");
  return row?.count ?? 0;
};

/** Hands a write on to the real database, as it came. */
async function passOn({ url, bytes, headers }: Write): Promise<Response> {
  const encoding = headers["content-encoding"];
  return fetch(`http://127.0.0.1:${influxd.port}${url}`, {
    method: "POST",
    body: new Uint8Array(bytes),
    headers: encoding === undefined ? {} : { "Content-Encoding": encoding },
  });
}

/** Tells a sink points at the pace of a session, `during` their middle something happens. */
async function session(sink: Sink, points: number, during: () => Promise<unknown> = async () => undefined): Promise<void> {
  const third = Math.floor(points / 3);
  const tell = (from: number, to: number) => pace(from, to, LIVE_HZ, (k) => sink.power?.(mean(k, (k % 100) + 1)));
  await tell(0, third);
  await Promise.all([during(), tell(third, 2 * third)]);
  await tell(2 * third, points);
}

async function judge(fault: string, points: number, outcome: SinkOutcome, refused = 0): Promise<void> {
  const there = await stored();
  rows.push({
    fault,
    told: points,
    stored: there,
    refused: outcome.refused,
    waiting: outcome.waiting,
    lost: points - there - outcome.refused,
  });
  expect(outcome).toMatchObject({ refused, waiting: 0 });
  expect(there).toBe(points - refused);
}

test("no fault", async () => {
  const { sink } = open({ port: influxd.port }, LIMITS);
  await session(sink, 600);
  await judge("none", 600, await sink.close(PATIENT));
});

test("killed at the start, back after the run", async () => {
  await influxd.crash();
  const first = open({ port: influxd.port }, QUICK);
  await session(first.sink, 600);
  expect(await first.sink.close({ within_ms: 5000, fruitless_ms: 0 })).toMatchObject({ refused: 0, waiting: 600 });
  await influxd.restart();
  await judge("down for the whole run", 600, await open({ port: influxd.port }, QUICK, first.outbox).sink.close(PATIENT));
});

test("kill -9 and restart, three times in a run", async () => {
  const { sink } = open({ port: influxd.port }, QUICK);
  await session(sink, 900, async () => {
    for (let round = 0; round < 3; round++) {
      await influxd.crash();
      await pace(0, 50, LIVE_HZ, () => undefined);
      await influxd.restart();
    }
  });
  await judge("kill -9, three times", 900, await sink.close(PATIENT));
});

test("SIGSTOP for longer than a request may take", async () => {
  const { sink } = open({ port: influxd.port }, { ...QUICK, request_ms: 500 });
  await session(sink, 900, async () => {
    influxd.pause();
    await pace(0, 400, LIVE_HZ, () => undefined);
    influxd.resume();
  });
  await judge("SIGSTOP for 2 s", 900, await sink.close(PATIENT));
});

test("the database is dropped in mid-run: it is made again, and sent again it is whole", async () => {
  const { sink } = open({ port: influxd.port }, QUICK);
  await session(sink, 600, () => influxd.client().dropDatabase("joulebench"));
  expect(await sink.close(PATIENT)).toMatchObject({ refused: 0, waiting: 0 });
  expect(await stored()).toBeLessThan(600);
  const again = open({ port: influxd.port }, QUICK);
  await pace(0, 600, 1e6, (k) => again.sink.power?.(mean(k, (k % 100) + 1)));
  await judge("dropped, then sent again", 600, await again.sink.close(PATIENT));
});

test("a field of another type: 400 of part of a batch", async () => {
  const { sink } = open({ port: influxd.port }, QUICK);
  // voltage_v is a text already, so a point with a number there is refused, and no other.
  await influxd.client().writePoints([{ measurement: "power", fields: { voltage_v: "five" }, timestamp: "1767323045000000000" }]);
  await pace(0, 600, 1e6, (k) => sink.power?.({ ...mean(k, 1), ...(k % 100 === 7 ? { voltage_v: 5 } : {}) }));
  await judge("400, 6 of 600 conflict", 600, await sink.close(PATIENT), 6);
});

test("401 until somebody gives the user its password", async () => {
  process.env.JOULEBENCH_TEST_PASSWORD = "later";
  const locked = await Influxd.start({ auth: true });
  const admin = locked.client({ username: "admin", password: "secret" });
  await admin.createDatabase("joulebench");
  await admin.createUser("bench", "another");
  const { sink } = open({ port: locked.port, username: "bench", password_env: "JOULEBENCH_TEST_PASSWORD" }, QUICK);
  await session(sink, 300, async () => {
    await admin.setPassword("bench", "later");
    await admin.grantPrivilege("bench", "WRITE", "joulebench");
  });
  const outcome = await sink.close(PATIENT);
  const [row] = await admin.query<{ count: number }>("select count(power_w) from power");
  await locked.stop();
  rows.push({
    fault: "401, then let in",
    told: 300,
    stored: row!.count,
    refused: outcome.refused,
    waiting: outcome.waiting,
    lost: 300 - row!.count,
  });
  expect([row!.count, outcome.refused, outcome.waiting]).toEqual([300, 0, 0]);
});

test("413: a body limit below the batch", async () => {
  const { sink } = open({ port: influxd.port, gzip: false }, { ...QUICK, linger_ms: 500 });
  await pace(0, 20_000, 1e6, (k) => sink.power?.(mean(k, 1)));
  await judge("413, limit of 200 kB", 20_000, await sink.close(PATIENT));
});

test.each<[string, (write: Write, n: number, response: Parameters<ScriptedServer["script"]>[1]) => Promise<boolean>]>([
  [
    "429 with Retry-After, every other",
    async (_, n, response) => n % 2 === 0 && say(response, 429, { error: "busy" }, { "Retry-After": "1" }),
  ],
  ["500, three of four", async (_, n, response) => n % 4 !== 0 && say(response, 500, { error: "no" })],
  [
    "the answer cut off after its headers",
    async (write, n, response) => {
      if (n % 3 === 0) return false;
      await passOn(write);
      response.writeHead(200, { "Content-Length": "100" }).write("{");
      response.socket?.destroySoon();
      return true;
    },
  ],
  [
    "the connection reset after the commit",
    async (write, n, response) => {
      if (n % 3 === 0) return false;
      await passOn(write);
      response.socket?.resetAndDestroy();
      return true;
    },
  ],
  [
    "an answer of one byte in 50 ms",
    async (write, n, response) => {
      if (n % 3 === 0) return false;
      await passOn(write);
      response.writeHead(200, { "Content-Length": "1000" });
      const drip = setInterval(() => response.write("x"), 50);
      response.once("close", () => clearInterval(drip));
      return true;
    },
  ],
])("%s", async (fault, spoil) => {
  server = await ScriptedServer.start(async (write, response, n) => {
    if (await spoil(write, n, response)) return true;
    const reply = await passOn(write);
    response.writeHead(reply.status).end(await reply.text());
    return true;
  });
  const { sink } = open({ port: server.port }, { ...QUICK, request_ms: 400 });
  await session(sink, 600);
  await judge(fault, 600, await sink.close(PATIENT));
});

test("points beyond the retention are counted, and no others", async () => {
  await influxd.client().createRetentionPolicy("short", { database: "joulebench", duration: "1h", replication: 1, isDefault: true });
  const { sink } = open({ port: influxd.port }, QUICK);
  const ago_s = (Date.now() - 1_767_323_045_123) / 1000;
  for (let k = 0; k < 100; k++) sink.power?.(mean(k));
  for (let k = 0; k < 100; k++) sink.power?.(mean(ago_s + k));
  await judge("100 of 200 beyond the retention", 200, await sink.close(PATIENT), 100);
});

test("an hour down, three channels at 10 Hz: caught up on more than ten times as fast as it came, memory flat", async () => {
  const [points, live_hz] = [108_000, 30];
  await influxd.crash();
  const { sink } = open({ port: influxd.port }, QUICK);
  await pace(0, 8000, 1e6, (k) => sink.power?.(mean(k / 10, 1)));
  const before = heapBytes();
  await pace(8000, points, 1e6, (k) => sink.power?.(mean(k / 10, 1)));
  sink.event?.(event, 1);
  const grown = heapBytes() - before;
  await influxd.restart();
  const began = performance.now();
  const outcome = await sink.close(PATIENT);
  const rate_hz = points / ((performance.now() - began) / 1000);
  await judge(
    `1 h down; caught up at ${Math.round(rate_hz)}/s, ${Math.round(rate_hz / live_hz)} x live; heap ${(grown / 1e6).toFixed(1)} MB`,
    points,
    outcome,
  );
  expect(rate_hz).toBeGreaterThan(10 * live_hz);
  expect(grown).toBeLessThan(8e6);
});
