import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Influxd } from "../sinks/influxd.ts";
import { freePort } from "../sinks/scripted.ts";
import { scratch, workload, writeRig } from "./bench.ts";
import { joulebench, start } from "./joulebench.ts";

/*
 * A database beside a whole run of the built program: what it has, and what `resend` makes it have. A copy of the
 * store is right when it is the same whichever way it came.
 */

const folder = scratch();
const at = (name: string): string => join(folder.dir, name);
const rigWith = (port: number): string =>
  writeRig(folder.dir, { command: workload("--requests=6"), more: `sinks: { influx: { port: ${port}, rate_hz: 20 } }` });

describe("a database beside a run", () => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await Influxd.start();
    const run = await joulebench(["run", rigWith(influxd.port), "--out", at("live")], { cwd: folder.dir });
    // A busy machine may make a session invalid, which is 1; what the sink does is never that.
    expect([0, 1]).toContain(run.code);
    expect(run.stderr).not.toContain("influx");
    const down = await joulebench(["run", rigWith(await freePort()), "--out", at("apart/down")], { cwd: folder.dir });
    expect([0, 1]).toContain(down.code);
    expect(down.stderr).toMatch(/influx: .*ECONNREFUSED.*the measurement goes on/);
    expect(down.stderr).toMatch(/\d+ points wait for influx in .*apart\/down \(.*ECONNREFUSED.*\); joulebench resend .*apart\/down\n$/);
  });
  afterAll(async () => {
    await influxd.stop();
    folder.remove();
  });

  /** Every point there is, by measurement. */
  async function everything(): Promise<Record<string, unknown[]>> {
    const client = influxd.client();
    const tables = await client.getMeasurements();
    const rows = async (table: string) =>
      (await client.query<{ time: { getNanoTime(): string } }>(`select * from "${table}"`)).map((row) => ({
        ...row,
        time: row.time.getNanoTime(),
      }));
    return Object.fromEntries(await Promise.all(tables.sort().map(async (table) => [table, await rows(table)] as const)));
  }

  test("has everything, and a second sending from the tape changes not one point", async () => {
    const live = await everything();
    expect(Object.keys(live)).toEqual(expect.arrayContaining(["annotation", "event", "inference", "power", "summary", "validity"]));
    expect(live.power!.length).toBeGreaterThan(40);
    expect(readdirSync(join(at("live"), "outbox", "influx"))).toEqual(["cursor.json"]);

    const again = await joulebench(["resend", at("live"), "--from", "0"], { cwd: folder.dir });
    expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/^influx: \d+ points sent, made again from the tape\n$/)]);
    expect(await everything()).toEqual(live);

    // A database that was lost and made anew is filled again, by as much as it had.
    await influxd.client().dropDatabase("joulebench");
    await joulebench(["resend", at("live"), "--from", "0"], { cwd: folder.dir });
    expect(await everything()).toEqual(live);

    const nothing = await joulebench(["resend", at("live")], { cwd: folder.dir });
    expect([nothing.code, nothing.stdout]).toEqual([0, "influx: nothing waited\n"]);
  });

  test("a part is sent again from a time on, given as a time of day or in seconds of the session", async () => {
    await influxd.client().dropDatabase("joulebench");
    const { started } = JSON.parse(readFileSync(join(at("live"), "session.json"), "utf8")) as { started: string };
    const from_ms = Date.parse(started) + 1500;
    await joulebench(["resend", at("live"), "--from", new Date(from_ms).toISOString()], { cwd: folder.dir });
    const { power } = (await everything()) as { power: { time: string }[] };
    expect(power.length).toBeGreaterThan(10);
    for (const { time } of power) expect(BigInt(time)).toBeGreaterThan(BigInt(from_ms - 50) * 1_000_000n);
  });

  test("one that was down has nothing, and gets all of it by resend, to wherever the rig says", async () => {
    await influxd.client().dropDatabase("joulebench");
    const waiting = JSON.parse(readFileSync(join(at("apart/down"), "outbox/influx/cursor.json"), "utf8")) as { appended: number };
    const rig = rigWith(influxd.port);
    const sent = await joulebench(["resend", at("apart/down"), "--rig", rig, "--json"], { cwd: folder.dir });
    expect(sent.code).toBe(0);
    expect(JSON.parse(sent.stdout)).toEqual([{ kind: "influx", anew: false, sent: waiting.appended, refused: 0, waiting: 0 }]);
    expect(Object.values(await everything()).flat()).toHaveLength(waiting.appended);
    const fromOutbox = await everything();
    await influxd.client().dropDatabase("joulebench");
    rmSync(join(at("apart/down"), "outbox"), { recursive: true });
    await joulebench(["resend", at("apart/down"), "--rig", rig], { cwd: folder.dir });
    expect(await everything()).toEqual(fromOutbox);
  });

  test("of a run that was killed, resend makes what it had not told", async () => {
    await influxd.client().dropDatabase("joulebench");
    const rig = writeRig(folder.dir, { command: workload("--requests=100"), more: `sinks: { influx: { port: ${influxd.port} } }` });
    const running = start(["run", rig, "--out", at("killed")], { cwd: folder.dir });
    await running.said("r3: ");
    running.kill("SIGKILL");
    await running.ended;
    const before = await everything();
    const sent = await joulebench(["resend", at("killed")], { cwd: folder.dir });
    expect([sent.code, sent.stdout]).toEqual([0, expect.stringMatching(/^influx: \d+ points sent, made again from the tape\n$/)]);
    const after = await everything();
    expect(after.power).toEqual(expect.arrayContaining(before.power!));
    expect(after.power!.length).toBeGreaterThan(before.power!.length);
    expect(after.inference!.length).toBeGreaterThan(0);
    expect((await joulebench(["resend", at("killed")], { cwd: folder.dir })).stdout).toBe("influx: nothing waited\n");
  });

  test("what an earlier session left waiting goes with the next one in the same folder", async () => {
    await influxd.client().dropDatabase("joulebench");
    const left = at("nights/1");
    cpSync(at("apart/down"), left, { recursive: true });
    const rig = rigWith(influxd.port);
    // The night's rig had a database that was down: here it is the same one, come back.
    const path = join(left, "session.json");
    writeFileSync(path, readFileSync(path, "utf8").replace(/"port": \d+,(\s+"protocol)/, `"port": ${influxd.port},$1`));
    rmSync(join(left, "outbox"), { recursive: true, force: true });
    await influxd.crash();
    expect((await joulebench(["resend", left], { cwd: folder.dir })).code).toBe(4);
    expect(existsSync(join(left, "outbox/influx/000000.lp"))).toBe(true);
    await influxd.restart();
    const next = await joulebench(["run", rig, "--out", at("nights/2")], { cwd: folder.dir });
    expect(next.stderr).toContain("nights/1 was sent");
    const sessions = (await influxd.client().query<{ distinct: string }>("select distinct(session) from power")).map((row) => row.distinct);
    expect(new Set(sessions).size).toBe(2);
  });
});

test.each([
  ["is no session", [], /no session\.json here/],
  ["has no sink", ["bare"], /its rig names no sink; name a rig that does/],
])("resend of a folder that %s: exit code 2", async (_, [name = ""], message) => {
  const { dir, remove } = scratch();
  if (name) {
    const rig = { name: "test", device: { command: ["x"] } };
    writeFileSync(
      join(dir, "session.json"),
      JSON.stringify({ format: 1, session: "s", origin: { run: true }, rig, wallStart_ns: "0", state: "closed" }),
    );
  }
  const { code, stderr } = await joulebench(["resend", dir], { cwd: dir });
  remove();
  expect([code, stderr.replaceAll("\n", " ")]).toEqual([2, expect.stringMatching(message)]);
});
