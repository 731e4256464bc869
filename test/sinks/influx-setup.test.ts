import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { END, event, kind, mean, open, result, resultsOf } from "./bench.ts";
import { Influxd } from "./influxd.ts";
import { ScriptedServer, say } from "./scripted.ts";

const steps = (rig: Record<string, unknown>) => kind.setup(kind.options.parse(rig));

describe("a real 1.x", () => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await Influxd.start();
  });
  afterAll(() => influxd.stop());

  test("gets database, retention and the query for seconds; once more changes nothing, other times do", async () => {
    const client = influxd.client();
    const policies = async () =>
      Object.fromEntries(
        (await client.showRetentionPolicies()).map(({ name, duration, default: isDefault }) => [name, [duration, isDefault]]),
      );
    for (let round = 0; round < 2; round++) {
      for (const { run } of steps({ port: influxd.port, retention: {} })) await run();
      expect(await policies()).toEqual({ autogen: ["0s", true], raw: ["720h0m0s", false], second: ["17472h0m0s", false] });
    }
    for (const { run } of steps({ port: influxd.port, retention: { raw: "7d", results: "520w" } })) await run();
    expect(await policies()).toMatchObject({ autogen: ["87360h0m0s", true], raw: ["168h0m0s", false] });
    expect((await client.showContinousQueries()).map(({ name }) => name)).toEqual(["joulebench_power_1s"]);
  });

  test("its query makes seconds of power, whose means, extremes and time are those of the raw points", async () => {
    for (const { run } of steps({ port: influxd.port, retention: { raw: "inf" } })) await run();
    const { sink } = open({ port: influxd.port, retention: { raw: "inf" } });
    for (let k = 0; k < 40; k++) sink.power?.({ ...mean(k / 10, k), min_w: k - 1, max_w: k + 1, current_a: k / 5, voltage_v: 5 });
    expect(await sink.close(END)).toMatchObject({ sent: 40, refused: 0, waiting: 0 });
    const client = influxd.client();
    expect((await client.query('select count(power_w) from "raw".power'))[0]).toMatchObject({ count: 40 });
    const [{ query }] = (await client.showContinousQueries()) as unknown as [{ query: string }];
    const body = /BEGIN (.*) END/s.exec(query)![1]!;
    // As the server runs it, for a time of ours: a real one waits an hour, and looks at the last day alone.
    await client.query(body.replace("GROUP BY", "WHERE time > '2026-01-01' AND time < '2026-01-03' GROUP BY"));
    const seconds = await client.query<Record<string, number>>('select * from "second".power');
    expect(seconds.length).toBeGreaterThanOrEqual(4);
    expect(seconds.reduce((sum, { duration_s = 0 }) => sum + duration_s, 0)).toBeCloseTo(4, 9);
    const of = (column: string, fold: (a: number, b: number) => number) =>
      seconds.map((each) => each[column]!).reduce((a, b) => fold(a, b));
    expect([of("power_min_w", Math.min), of("power_max_w", Math.max)]).toEqual([-1, 40]);
    const energy_j = seconds.reduce((sum, { power_w = 0, duration_s = 0 }) => sum + power_w * duration_s, 0);
    expect(energy_j).toBeCloseTo(78, 6);
    expect(seconds[0]).toMatchObject({ rig: "bench 1", source: "meter", channel: "main", session: "s-1", voltage_v: 5 });
  });

  test("results lie in the default policy, where they outlive power", async () => {
    const { sink } = open({ port: influxd.port, retention: { raw: "inf" } });
    sink.event?.(event, 1);
    sink.results?.(resultsOf([result]));
    expect(await sink.close(END)).toMatchObject({ refused: 0, waiting: 0 });
    expect(await influxd.client().query("select * from inference")).toHaveLength(1);
    expect(await influxd.client().query("select * from event")).toHaveLength(0);
    expect(await influxd.client().query('select * from "raw".event')).toHaveLength(1);
  });

  test("without setup, what has no place waits and says what makes it", async () => {
    await influxd.client().createDatabase("bare");
    const { sink, notices } = open({ port: influxd.port, database: "bare", retention: {} });
    sink.power?.(mean(0));
    await expect.poll(() => notices).toHaveLength(1);
    expect(notices[0]).toMatch(/retention policy not found.*joulebench influx setup RIG/);
    for (const { run } of steps({ port: influxd.port, database: "bare", retention: { raw: "inf" } })) await run();
    await expect.poll(() => influxd.client().query('select * from "raw".power', { database: "bare" })).toHaveLength(1);
    expect(await sink.close(END)).toMatchObject({ sent: 1, refused: 0, waiting: 0 });
  });

  test("what is printed can be said by hand, names with quotes too", async () => {
    const rig = { port: influxd.port, database: 'od"d', retention: {} };
    for (const { text } of steps(rig))
      expect(JSON.stringify(await influxd.client().queryRaw(text, { method: "POST" }))).not.toContain("error");
    expect(await influxd.client().getDatabaseNames()).toContain('od"d');
  });
});

/** As the vendors' references of the administration of 2.x and 3.x say; neither server is here. */
describe("a scripted 2.x", () => {
  test("gets three buckets and a task, by calls of its API", async () => {
    const server = await ScriptedServer.start(({ method, url }, response) => {
      if (url.startsWith("/api/v2/orgs")) return say(response, 200, { orgs: [{ id: "0123", name: "lab" }] });
      if (url.startsWith("/api/v2/buckets?")) return say(response, 200, { buckets: url.endsWith("joulebench") ? [{ id: "b1" }] : [] });
      if (url.startsWith("/api/v2/tasks?")) return say(response, 200, { tasks: [] });
      return say(response, method === "POST" ? 201 : 200, {});
    });
    process.env.JOULEBENCH_TEST_SECRET = "s3cret";
    const rig = { flavor: 2, org: "lab", port: server.port, token_env: "JOULEBENCH_TEST_SECRET", retention: {} };
    for (const { run } of steps(rig)) await run();
    delete process.env.JOULEBENCH_TEST_SECRET;
    await server.stop();
    const changes = server.writes.filter(({ method }) => method !== "GET");
    expect(changes.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "PATCH /api/v2/buckets/b1",
      "POST /api/v2/buckets",
      "POST /api/v2/buckets",
      "POST /api/v2/tasks",
    ]);
    const bodies = changes.map(({ bytes }) => JSON.parse(bytes.toString()));
    expect(bodies.slice(0, 3)).toEqual([
      { retentionRules: [] },
      { orgID: "0123", name: "joulebench_raw", retentionRules: [{ type: "expire", everySeconds: 30 * 86_400 }] },
      { orgID: "0123", name: "joulebench_second", retentionRules: [{ type: "expire", everySeconds: 104 * 7 * 86_400 }] },
    ]);
    expect(bodies[3]).toMatchObject({ org: "lab", status: "active", flux: expect.stringContaining('from(bucket: "joulebench_raw")') });
    expect(bodies[3].flux).toContain('to(bucket: "joulebench_second", org: "lab")');
    for (const { headers } of server.writes) expect(headers.authorization).toBe("Token s3cret");
  });

  test("that refuses is quoted", async () => {
    const server = await ScriptedServer.start((_, response) =>
      say(response, 401, { code: "unauthorized", message: "unauthorized access" }),
    );
    await expect(steps({ flavor: 2, org: "lab", port: server.port })[0]!.run()).rejects.toMatchObject({
      kind: "sink",
      message: expect.stringContaining("401 unauthorized access, at GET /api/v2/buckets?org=lab&name=joulebench"),
    });
    await server.stop();
  });
});

test("a scripted 3.x gets a database for each retention, and one that is there is left as it is", async () => {
  const server = await ScriptedServer.start((_, response, n) =>
    n === 1 ? say(response, 409, { error: "exists" }) : say(response, 200, {}),
  );
  for (const { run } of steps({ flavor: 3, port: server.port, retention: {} })) await run();
  await server.stop();
  expect(server.writes.map(({ method, url, bytes }) => [method, url, JSON.parse(bytes.toString())])).toEqual([
    ["POST", "/api/v3/configure/database", { db: "joulebench" }],
    ["POST", "/api/v3/configure/database", { db: "joulebench_raw", retention_period: "30d" }],
  ]);
});
