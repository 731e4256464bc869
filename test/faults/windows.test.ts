import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sessionRecords } from "../../bench/session-tape.ts";
import { Options } from "../../src/instruments/bridge-ina219-options.ts";
import type { Results } from "../../src/model/results.ts";
import type { TapeRecord } from "../../src/model/tape.ts";
import { instrumentOf, parseRig } from "../../src/rig/rig.ts";
import { analyzeSession } from "../../src/session/analysis.ts";
import { createSessionFolder } from "../../src/session/folder.ts";
import type { Disk } from "../../src/store/disk.ts";
import { realDisk } from "../../src/store/disk.ts";
import { TapeWriter } from "../../src/store/tape-writer.ts";
import { SmallDisk } from "./faulty-disk.ts";

/*
 * A session of requests whose disk fails for a while: the windows that are invalid are those that overlap what was
 * dropped, or was not acknowledged, and no others.
 */

const dir = mkdtempSync(join(tmpdir(), "faults-windows-"));
afterAll(() => rmSync(dir, { recursive: true }));

const rig = parseRig(readFileSync("rigs/virtual.yaml", "utf8"), "rigs/virtual.yaml");
const records = [...sessionRecords(5, Options.parse(instrumentOf(rig, "meter").options))];

interface Recorded {
  readonly results: Results;
  /** First and last record that is not on the tape, s. */
  readonly dropped: readonly number[];
  readonly notices: readonly string[];
}

/** Records the session as the bench does: handed over every 100 ms, synced every 500 ms. */
async function record(name: string, disk: Disk, at: (time_s: number) => void = () => {}): Promise<Recorded> {
  const folder = createSessionFolder(name, join(dir, name));
  const notices: string[] = [];
  const dropped: number[] = [];
  const isBulk = ({ source, kind }: TapeRecord): boolean => kind === "tick" || (source === "meter" && kind === "rx");
  const notice = (message: string): void => void notices.push(message);
  const tape = new TapeWriter(join(folder.dir, "tape"), { disk, onRefusal: "pause", reserve_bytes: 16 * 1024 * 1024, isBulk, notice });
  let ticks = 0;
  for (const each of records) {
    at(each.host_ns / 1e9);
    if (tape.isPaused && isBulk(each)) dropped.push(each.host_ns / 1e9);
    tape.append(each);
    if (each.kind !== "tick") continue;
    tape.flush();
    if (++ticks % 5 === 0) await tape.sync();
  }
  await tape.close();
  folder.describe({ state: "closed", origin: { run: true }, rig, plan: rig.plan, identities: {} });
  folder.release();
  return { results: analyzeSession(folder.dir).results, dropped, notices };
}

const windowsOf = ({ measurements }: Results) =>
  measurements
    .filter(({ name }) => /^(prefill|decode|tail|request)_energy$/.test(name))
    .map((each) => ({ ...each, id: `${each.request} ${each.phase}` }));

const invalidOf = (results: Results): string[] =>
  windowsOf(results)
    .filter(({ flags }) => flags.includes("INVALID"))
    .map(({ id }) => id);

let whole: Results;
beforeAll(async () => {
  whole = (await record("whole", realDisk)).results;
});

/** Windows of the undisturbed session that overlap an interval, and those that would with a block more or less. */
const overlapping = (from_s: number, to_s: number): string[] =>
  windowsOf(whole)
    .filter(({ start_s, end_s }) => start_s <= to_s && end_s >= from_s)
    .map(({ id }) => id);

const BLOCK_S = 0.015;

function expectInvalid(found: Results, from_s: number, to_s: number): void {
  const invalid = invalidOf(found);
  expect(invalid.length).toBeGreaterThan(0);
  expect(overlapping(from_s - BLOCK_S, to_s + BLOCK_S)).toEqual(expect.arrayContaining(invalid));
  expect(invalid).toEqual(expect.arrayContaining(overlapping(from_s + BLOCK_S, to_s - BLOCK_S)));
}

test("undisturbed, every window is valid", () => {
  expect(windowsOf(whole).length).toBeGreaterThan(10);
  expect(invalidOf(whole)).toEqual([]);
});

describe("a disk that is full", () => {
  test.each([
    [100, 103],
    [61.1, 61.2],
    [130.4, 250],
  ])("from %d s to %d s", async (from_s, to_s) => {
    const disk = new SmallDisk(1e9);
    const fill = (time_s: number): void => {
      if (time_s >= from_s && time_s < to_s && disk.capacity === 1e9) disk.capacity = 1e9 - disk.free_bytes();
      if (time_s >= to_s) disk.capacity = 1e9;
    };
    const { results, dropped, notices } = await record(`full-${from_s}`, disk, fill);
    const [first_s, last_s] = [dropped[0]!, dropped.at(-1)!];
    expect(first_s).toBeGreaterThanOrEqual(from_s);
    // Space is looked for twice a second.
    expect(last_s).toBeLessThan(to_s + 0.6);
    expectInvalid(results, first_s, last_s);
    const fault = results.faults.filter(({ code }) => code === "tape_missing");
    expect(fault.reduce((sum, { count }) => sum + count, 0)).toBe(dropped.length);
    expect(results.faults.filter(({ code }) => code === "tape_truncated")).toEqual([]);
    expect(results.validity.find(({ rule }) => rule === "tape")).toMatchObject({ pass: false, level: "WARN" });
    expect(notices).toEqual([expect.stringContaining("free space there"), expect.stringContaining("recording")]);
    // Whatever does not touch it is as it was.
    const unharmed = windowsOf(results).filter(({ flags }) => !flags.includes("INVALID"));
    for (const { id, value } of unharmed) expect(value! / windowsOf(whole).find((each) => each.id === id)!.value!).toBeCloseTo(1, 5);
  });
});

test("a disk that fails once: what it had not acknowledged is suspect, and all of it is there", async () => {
  let syncs = 0;
  const fdatasync = (fd: number): Promise<void> =>
    ++syncs === 250 ? Promise.reject(Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" })) : realDisk.fdatasync(fd);
  const { results, dropped } = await record("failing", { ...realDisk, fdatasync });
  expect(dropped).toEqual([]);
  const fault = results.faults.find(({ code }) => code === "tape_suspect")!;
  const [from_s, to_s] = [.../from ([\d.]+) s to ([\d.]+) s/.exec(fault.detail!)!].slice(1).map(Number);
  expect(to_s! - from_s!).toBeCloseTo(0.5, 1);
  expectInvalid(results, from_s!, to_s!);
  for (const { id, value } of windowsOf(results)) expect(value).toBe(windowsOf(whole).find((each) => each.id === id)!.value);
});
