import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { summaryTable } from "../../src/cli/results-table.ts";
import { importers } from "../../src/importers/index.ts";
import type { Results } from "../../src/model/results.ts";
import { importSession } from "../../src/session/import.ts";
import { examplesOf, named, rowsBelow, textOf } from "./pages.ts";

const EXAMPLE = "docs/examples/generic";
const folder = mkdtempSync(join(tmpdir(), "joulebench-docs-"));
const session = join(folder, "session");
let results: Results;

beforeAll(async () => {
  ({ results } = await importSession("generic", EXAMPLE, session));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("docs/import.md", () => {
  test("has a chapter for every format", () => {
    const chapters = textOf("docs/import.md").matchAll(/^## `(.+)`/gm);
    expect([...chapters].map((match) => match[1])).toEqual(importers.map(({ format }) => format));
  });

  test("shows lines of the example's files", () => {
    const shown = examplesOf("docs/import.md").flatMap(({ info, text }) => {
      const file = /^\w+ (\S+)$/.exec(info)?.[1];
      return file === undefined ? [] : [[file, text] as const];
    });
    expect(shown).toHaveLength(4);
    for (const [file, text] of shown) {
      const lines = readFileSync(join(EXAMPLE, file), "utf8").split("\n");
      expect(lines, file).toEqual(expect.arrayContaining(text.split("\n")));
    }
  });

  test("shows the table that the example gives, which is its truth", () => {
    const table = summaryTable(results).split("\n");
    const shown = examplesOf("docs/import.md").find(({ text }) => text.includes("value ± U"))!;
    for (const line of shown.text.split("\n")) expect(table).toContain(line);
    const { prefill_energy, decode_energy_per_token, decode_energy_per_token_net, request_energy_per_output_token } = results.summary;
    expect(prefill_energy!.value).toBeCloseTo(12, 9);
    expect(decode_energy_per_token!.value).toBeCloseTo(2, 9);
    expect(decode_energy_per_token_net!.value).toBeCloseTo(1.4, 9);
    expect(request_energy_per_output_token!.value).toBeCloseTo(28 / 9, 9);
    expect(results.faults).toEqual([]);
    expect(results.validity.filter(({ pass, level }) => !pass && level === "FAIL")).toEqual([]);
  });

  test("names the keys of a meter's rig.json, and shows files that can be imported", () => {
    const keys = rowsBelow("docs/import.md", "Files of power monitors").map(([key]) => named(key!)[0]!);
    const shown = examplesOf("docs/import.md").filter(({ info }) => info.includes(" ppk2-csv "));
    const files = shown.map(({ info, text }) => ({ name: info.split(" ").at(-1)!, bytes: Buffer.from(text) }));
    const ppk2 = importers.find(({ format }) => format === "ppk2-csv")!;
    expect(ppk2.decode(files).events).toHaveLength(2);
    const rig = { voltage_v: 3, gain_uncertainty: 0, idle: [], start_s: 0, clock_uncertainty_s: 0, time_unit: "ms", current_unit: "uA" };
    const all = { ...rig, sampler: "point", rate_hz: 1e5 };
    expect(keys.sort()).toEqual(Object.keys(all).sort());
    const decode = (content: object) => ppk2.decode([files[0]!, { name: "rig.json", bytes: Buffer.from(JSON.stringify(content)) }]);
    expect(() => decode(all)).not.toThrow();
    expect(() => decode({ ...all, colour: "red" })).toThrow(/colour/);
  });

  test("names the keys of rig.json as the importer knows them", async () => {
    const keys = rowsBelow("docs/import.md", "`rig.json` (optional)").map(([key]) => named(key!)[0]!);
    const rig: Record<string, unknown> = { sampler: "point", rate_hz: 2, idle: [], gain_uncertainty: 0, load_unit: "gpu", trips: {} };
    expect(keys.sort()).toEqual(Object.keys(rig).sort());
    expect(() => decodeWith(rig)).not.toThrow();
    expect(() => decodeWith({ ...rig, colour: "red" })).toThrow(/colour/);
  });
});

describe("docs/session-folder.md", () => {
  test("names every key of the results", () => {
    const rows = rowsBelow("docs/session-folder.md", "`results.json`");
    expect(rows.map(([key]) => named(key!)[0])).toEqual(Object.keys(results));
    for (const [key, what] of rows) {
      const content = results[named(key!)[0] as keyof Results];
      if (typeof content === "object") expect(named(what!), key).toEqual(expect.arrayContaining(keysBelow(content)));
    }
  });

  test("its example reads a session", () => {
    const script = join(folder, "read.mjs");
    writeFileSync(script, examplesOf("docs/session-folder.md").find(({ info }) => info === "js session")!.text);
    const lines = execFileSync(process.execPath, [script, session], { encoding: "utf8" }).trim().split("\n");
    expect(lines.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual(["r1 2", "r2 2", "r3 2", "r4 2", "r5 2"]);
  });

  test("architecture.md shows the same keys", () => {
    const shown = examplesOf("docs/architecture.md").find(({ text }) => text.includes('"format": 1'))!.text;
    for (const key of Object.keys(results)) expect(shown).toContain(`"${key}":`);
  });
});

function decodeWith(rig: object): void {
  const files = ["power.csv", "events.jsonl"].map((name) => ({ name, bytes: readFileSync(join(EXAMPLE, name)) }));
  const generic = importers.find(({ format }) => format === "generic")!;
  generic.decode([...files, { name: "rig.json", bytes: Buffer.from(JSON.stringify(rig)) }]);
}

/** Keys of an object, or of what a list or a record by measurement name holds. */
function keysBelow(content: object | null): string[] {
  if (content === null) return [];
  const values = Object.values(content);
  const isRecord = !Array.isArray(content) && values.every((each) => typeof each === "object" && !Array.isArray(each));
  const entries: object[] = isRecord || Array.isArray(content) ? values : [content];
  if (Array.isArray(values[0])) return "episodes" in content ? ["episodes"] : keysBelow(values[0]);
  // What a clock's facts are depends on its kind.
  return [...new Set(entries.flatMap((each) => Object.keys(each)))].filter((key) => key !== "map");
}
