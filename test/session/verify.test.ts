import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { sessionRecords } from "../../bench/session-tape.ts";
import { Options } from "../../src/instruments/bridge-ina219-options.ts";
import type { Lapse, TapeRecord } from "../../src/model/tape.ts";
import { instrumentOf, parseRig } from "../../src/rig/rig.ts";
import { evaluate } from "../../src/session/analysis.ts";
import { tapeRecording } from "../../src/session/tape-recording.ts";
import { verifyTape } from "../../src/session/verify.ts";
import { lapseRecord } from "../../src/store/lapse.ts";

const rig = parseRig(readFileSync("rigs/virtual.yaml", "utf8"), "rigs/virtual.yaml");
const records = [...sessionRecords(2, Options.parse(instrumentOf(rig, "meter").options))];

const tapeOf = (list: readonly TapeRecord[]) => ({ records: () => list, damagedBytes: () => 0 });
const verify = (list: readonly TapeRecord[]) => verifyTape(tapeOf(list), rig);

const PER_FRAME = 15;
const isSamples = ({ source, kind, host_ns }: TapeRecord): boolean => source === "meter" && kind === "rx" && host_ns > 20e9;
const isBetween = ({ host_ns }: TapeRecord, from_s: number, to_s: number): boolean => host_ns >= from_s * 1e9 && host_ns < to_s * 1e9;

/** The tape without everything from one time to another, and what it says about it. */
function without(from_s: number, to_s: number, state: Lapse["state"] = "missing"): { list: TapeRecord[]; samples: number } {
  const gone = records.filter((each) => isBetween(each, from_s, to_s));
  const [first, last] = [gone[0]!, gone.at(-1)!];
  const stretch = { fromSeq: first.seq, toSeq: last.seq, from_ns: first.host_ns, to_ns: last.host_ns };
  const stated = lapseRecord({ state, ...stretch, dropped: {}, cause: "ENOSPC" });
  const list =
    state === "missing"
      ? [...records.filter(({ seq }) => seq < first.seq), stated, ...records.filter(({ seq }) => seq > last.seq)]
      : [...records.filter(({ seq }) => seq <= last.seq), stated, ...records.filter(({ seq }) => seq > last.seq)];
  return { list, samples: gone.filter(isSamples).length * PER_FRAME };
}

const expectSamples = (list: readonly TapeRecord[], missing: number, suspect: number): void => {
  const { counts, holds } = verify(list);
  const samples = counts.filter(({ what }) => what === "meter.main");
  expect(samples.map(({ by }) => by)).toEqual(["counter", "clock"]);
  for (const each of samples) expect(each).toMatchObject({ missing, suspect, holds: true });
  const [counter, clock] = samples;
  expect(counter!.expected).toBe(counter!.stored + missing + suspect);
  expect(Math.abs(clock!.expected - counter!.expected) / counter!.expected).toBeLessThan(1e-3);
  expect(holds).toBe(true);
};

test("a whole tape is complete, by sequence, counter and clock", () => {
  expectSamples(records, 0, 0);
  const { counts, isComplete, lapses } = verify(records);
  expect([isComplete, lapses]).toEqual([true, []]);
  expect(counts[0]).toEqual({
    what: "records",
    by: "sequence",
    expected: records.length,
    stored: records.length,
    missing: 0,
    suspect: 0,
    holds: true,
  });
  expect(counts[1]!.stored).toBeGreaterThan(100_000);
});

describe("what the tape states", () => {
  test.each([
    [40, 40.2],
    [40, 43.7],
    [60, 110],
  ])("as missing from %d s to %d s is what the counter misses", (from_s, to_s) => {
    const { list, samples } = without(from_s, to_s);
    expect(samples).toBeGreaterThan(0);
    expectSamples(list, samples, 0);
    expect(verify(list).isComplete).toBe(false);
  });

  test("as suspect is counted apart", () => {
    const { list, samples } = without(50, 50.5, "suspect");
    expectSamples(list, 0, samples);
    expect(verify(list)).toMatchObject({ isComplete: false, lapses: [{ state: "suspect" }] });
  });

  test("ends no driver, though a tick comes first and nothing was heard for seconds", () => {
    const { list, samples } = without(40, 45);
    const at = list.findIndex(({ source }) => source === "tape");
    const before = list[at - 1]!;
    const tick: TapeRecord = { ...before, source: "session", kind: "tick", host_ns: 45e9, bytes: new Uint8Array(0) };
    expectSamples([...list.slice(0, at + 1), tick, ...list.slice(at + 1)], samples, 0);
  });

  test("is told by the analysis, too", () => {
    const results = evaluate("session", tapeRecording(tapeOf(without(40, 43).list), rig));
    expect(results.faults.find(({ code }) => code === "tape_missing")).toMatchObject({
      source: "tape",
      detail: expect.stringMatching(/^from 40\.\d+ s to 4[23]\.\d+ s: ENOSPC$/),
    });
    const struck = results.measurements.filter(({ flags }) => flags.includes("TAPE_LAPSE"));
    expect(struck.length).toBeGreaterThan(0);
    for (const { flags } of struck) expect(flags).toContain("INVALID");
  });
});

test("records that are gone and unstated do not add up", () => {
  const { counts, holds, isComplete } = verify(records.filter((each) => !isBetween(each, 40, 41)));
  expect(counts[0]!.missing).toBeGreaterThan(50);
  expect([counts[0]!.holds, holds, isComplete]).toEqual([false, false, false]);
});

test("frames that never came are missing by the counter, with every record there", () => {
  const kept = records.filter((each) => !(isSamples(each) && isBetween(each, 40, 41))).map((each, seq) => ({ ...each, seq }));
  const { counts, holds, isComplete } = verify(kept);
  expect(counts[0]).toMatchObject({ missing: 0, holds: true });
  for (const { missing } of counts.slice(1)) expect(missing).toBeGreaterThan(900);
  expect([holds, isComplete]).toEqual([true, false]);
});

test("an import has records and nothing else", () => {
  expect(verifyTape(tapeOf(records), undefined).counts.map(({ what }) => what)).toEqual(["records"]);
});
