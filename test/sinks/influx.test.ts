import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "../../src/sinks/courier.ts";
import { END, event, mean, open, QUICK, result, resultsOf, wallStart_ns } from "./bench.ts";
import { Influxd } from "./influxd.ts";

describe("with a database", () => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await Influxd.start();
  });
  afterAll(() => influxd.stop());
  afterEach(() => influxd.client().dropDatabase("joulebench"));

  const rows = async (query: string) => (await influxd.client().query<Record<string, unknown>>(query)).map((row) => ({ ...row }));
  const count = async (field: string, from: string) => (await rows(`select count(${field}) from ${from}`))[0]?.count;

  test("every kind of point arrives whole, stamped to the nanosecond", async () => {
    const { sink, faults, notices } = open({ port: influxd.port });
    sink.power?.(mean(0));
    sink.power?.(mean(0.100000001));
    sink.event?.(event, 3.3);
    for (const [channel, value] of [
      ["temperature_degc:cpu", 41.5],
      ["battery_level:", 80],
      ["temperature_degc:gpu", "hot"],
    ] as const)
      sink.reading?.({ source: "telemetry", epoch: 0, channel, tick: 0, value }, 2);
    sink.fault?.({ source: "meter", code: "lost_samples", count: 7, at_s: 2, detail: 'said "no"' });
    sink.results?.(resultsOf([result]));
    expect(await sink.close(END)).toMatchObject({ refused: 0, waiting: 0 });
    expect([faults, notices]).toEqual([[], []]);

    const power = await influxd.client().query<{ time: { getNanoTime(): string } }>("select * from power");
    expect(power.map(({ time }) => time.getNanoTime())).toEqual(["1767323045123456789", "1767323045223456790"]);
    expect(await rows("select * from power limit 1")).toMatchObject([
      { rig: "bench 1", source: "meter", channel: "main", power_w: 2.5, power_min_w: 2, power_max_w: 3, duration_s: 0.1, session: "s-1" },
    ]);
    expect(await rows("select * from event")).toMatchObject([{ source: "phone", type: "token", request: "r1", tokens: 1 }]);
    // What the schema has no field for is no point, and is not refused either.
    expect(await rows("select * from telemetry")).toMatchObject([{ source: "telemetry", channel: "cpu", temperature_degc: 41.5 }]);
    expect(await rows("select * from fault")).toMatchObject([{ source: "meter", code: "lost_samples", count: 7, detail: 'said "no"' }]);
    expect(await rows("select * from inference where phase = 'decode'")).toMatchObject([
      {
        phase: "decode",
        energy_per_token_j: 0.25,
        u_energy_per_token_j: 0.001,
        coverage: 1,
        tokens: 100,
        request: "r1",
        flags: "SHORT",
        valid: true,
      },
    ]);
    expect(await rows("select * from summary")).toMatchObject([
      {
        decode_energy_per_token_j: 0.25,
        u_decode_energy_per_token_j: 0.002,
        valid: false,
        failed: "requests",
        faults: 7,
        baseline_power_w: 0.5,
      },
    ]);
    expect(await rows("select * from validity")).toMatchObject([{ rule: "requests", level: "FAIL", pass: false, detail: "1 of 5" }]);
    expect((await rows("select * from annotation")).map(({ type }) => type).sort()).toEqual(["fault", "session", "validity"]);
  });

  test("tags have few values: neither session nor request is one", async () => {
    const { sink } = open({ port: influxd.port });
    sink.results?.(resultsOf([result]));
    sink.event?.(event, 1);
    await sink.close(END);
    const keys = (await rows("show tag keys")).map((row) => row.tagKey);
    const work = ["engine", "level", "model", "phase", "quant"];
    expect([...new Set(keys)].sort()).toEqual(["channel", "engine", "host", ...work.slice(1), "rig", "rule", "source", "stage", "type"]);
  });

  test("tokens that appear together stay apart, a result sent again replaces itself", async () => {
    const { sink } = open({ port: influxd.port });
    for (let k = 0; k < 5; k++) sink.event?.(event, 1);
    sink.results?.(resultsOf([result]));
    sink.results?.(resultsOf([{ ...result, value: 0.5 }]));
    await sink.close(END);
    expect(await count("tokens", "event")).toBe(5);
    expect(await rows("select energy_per_token_j from inference")).toMatchObject([{ energy_per_token_j: 0.5 }]);
  });

  test("what InfluxDB cannot hold is left out, what is left of the point is kept", async () => {
    const { sink } = open({ port: influxd.port });
    sink.results?.(resultsOf([{ ...result, value: null, uncertainty: null }]));
    sink.power?.({ ...mean(0), max_w: Number.POSITIVE_INFINITY });
    sink.power?.(mean(1, Number.NaN));
    sink.power?.(mean(Number.NaN));
    expect(await sink.close(END)).toMatchObject({ refused: 2, waiting: 0, reason: "2 points: no finite value or time" });
    expect(await rows("select * from inference")).toMatchObject([{ coverage: 1, valid: false }]);
    expect(await rows("select * from power")).toMatchObject([{ power_w: 2.5, power_min_w: 2 }]);
  });

  test("no name makes a point of its own or swallows another", async () => {
    const { sink } = open({ port: influxd.port });
    const evil = "a b,c=d\\\nfake,y=1 v=9\\";
    sink.power?.({ ...mean(0), source: `${evil}.main` });
    sink.event?.({ ...event, source: "", request: 'x" \\\n\\' }, 1);
    expect(await sink.close(END)).toMatchObject({ refused: 0, waiting: 0 });
    expect((await influxd.client().getMeasurements()).sort()).toEqual(["event", "power"]);
    expect(await rows("select * from power")).toMatchObject([{ source: "a b,c=d__fake,y=1 v=9_", channel: "main" }]);
    expect(await rows("select * from event")).toMatchObject([{ request: 'x" ___', type: "token" }]);
  });

  test("a field of another type costs the points that have it, and no others", async () => {
    await influxd.client().createDatabase("joulebench");
    await influxd.client().writePoints([{ measurement: "power", fields: { power_w: "a text" }, timestamp: String(wallStart_ns) }]);
    const { sink, faults } = open({ port: influxd.port });
    for (let k = 0; k < 3; k++) sink.power?.(mean(k));
    sink.event?.(event, 1);
    const closed = await sink.close(END);
    expect(closed.refused).toBe(3);
    expect(closed.reason).toContain("field type conflict");
    expect(faults).toMatchObject([{ code: "sink_refused", count: 3 }]);
    expect(await count("tokens", "event")).toBe(1);
  });

  test("more than one batch", async () => {
    const { sink } = open({ port: influxd.port }, LIMITS);
    for (let k = 0; k < 7000; k++) sink.power?.(mean(k));
    expect(await sink.close(END)).toMatchObject({ refused: 0, waiting: 0 });
    expect(await count("power_w", "power")).toBe(7000);
  });

  test("one that hangs does not hold the session up, and what it was sent afterwards arrives", async () => {
    const { sink, notices } = open({ port: influxd.port }, { ...QUICK, request_ms: 1000 });
    sink.power?.(mean(0));
    await expect.poll(() => count("power_w", "power")).toBe(1);
    influxd.pause();
    for (let k = 1; k <= 10; k++) sink.power?.(mean(k));
    await expect.poll(() => notices).toHaveLength(1);
    expect(notices[0]).toContain("no answer within 1000 ms");
    influxd.resume();
    await expect.poll(() => count("power_w", "power")).toBe(11);
    expect(await sink.close(END)).toMatchObject({ refused: 0, waiting: 0 });
  });

  test("one that still hangs at the end is left after a bounded time, and what it has not said it has waits", async () => {
    const { sink, faults } = open({ port: influxd.port }, { ...LIMITS, linger_ms: 20 });
    sink.power?.(mean(0));
    await expect.poll(() => count("power_w", "power")).toBe(1);
    influxd.pause();
    for (let k = 1; k <= 10; k++) sink.power?.(mean(k));
    const began = performance.now();
    const closed = await sink.close({ within_ms: 1000, fruitless_ms: 0 });
    const took_ms = performance.now() - began;
    influxd.resume();
    expect(took_ms).toBeGreaterThan(900);
    expect(took_ms).toBeLessThan(2500);
    // The first is stored, but its acknowledgement may have been caught by the pause: what is not acknowledged waits.
    expect([10, 11]).toContain(closed.waiting);
    expect(closed.reason).toContain("no answer");
    expect(faults).toEqual([]);
  });
});

describe("with a database that asks who is there", () => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await Influxd.start({ auth: true });
    process.env.JOULEBENCH_TEST_PASSWORD = "secret";
    process.env.JOULEBENCH_TEST_WRONG = "Gu3ssed";
  });
  afterAll(async () => {
    delete process.env.JOULEBENCH_TEST_PASSWORD;
    delete process.env.JOULEBENCH_TEST_WRONG;
    await influxd.stop();
  });
  const admin = { username: "admin", password: "secret" };

  test("user and password open it", async () => {
    const { sink } = open({ port: influxd.port, username: "admin", password_env: "JOULEBENCH_TEST_PASSWORD" });
    sink.power?.(mean(0));
    expect(await sink.close(END)).toMatchObject({ refused: 0, waiting: 0 });
    expect(await influxd.client(admin).query("select * from power")).toHaveLength(1);
  });

  test("a user who may write and not create needs no more", async () => {
    const client = influxd.client(admin);
    await client.createDatabase("joulebench");
    await client.createUser("writer", "secret");
    await client.grantPrivilege("writer", "WRITE", "joulebench");
    const { sink } = open({ port: influxd.port, username: "writer", password_env: "JOULEBENCH_TEST_PASSWORD" });
    sink.power?.(mean(5));
    expect(await sink.close(END)).toMatchObject({ refused: 0, waiting: 0 });
  });

  test("a wrong password is told once, and is not told itself", async () => {
    const { sink, notices, faults } = open({ port: influxd.port, username: "admin", password_env: "JOULEBENCH_TEST_WRONG" });
    sink.power?.(mean(0));
    await expect.poll(() => notices).toHaveLength(1);
    sink.power?.(mean(1));
    const closed = await sink.close(END);
    expect(closed).toMatchObject({ refused: 0, waiting: 2, reason: expect.stringContaining("401 authorization failed") });
    expect(notices).toHaveLength(1);
    expect(JSON.stringify([closed, notices, faults])).not.toContain("Gu3ssed");
  });
});
