import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JoulebenchError } from "../../src/model/errors.ts";
import { analyzeSession } from "../../src/session/analysis.ts";
import { createSessionFolder } from "../../src/session/folder.ts";
import { importSession } from "../../src/session/import.ts";

const dir = mkdtempSync(join(tmpdir(), "joulebench-folder-"));
const whole = join(dir, "whole");
afterAll(() => rmSync(dir, { recursive: true }));

beforeAll(async () => {
  const given = join(dir, "given");
  mkdirSync(given);
  writeFileSync(
    join(given, "power.csv"),
    `time_s,power_w\n${Array.from({ length: 400 }, (_, k) => `${(k + 1) / 20},${2 + (k % 3)}`).join("\n")}\n`,
  );
  writeFileSync(
    join(given, "events.jsonl"),
    [
      { type: "request_start", request: "r1", time_s: 2 },
      { type: "first_token", request: "r1", time_s: 4, tokens: 5 },
      { type: "token", request: "r1", time_s: 6, tokens: 1 },
      { type: "request_end", request: "r1", time_s: 6 },
    ]
      .map((each) => `${JSON.stringify(each)}\n`)
      .join(""),
  );
  await importSession("generic", given, whole);
});

function refusal(act: () => unknown): JoulebenchError {
  try {
    act();
  } catch (error) {
    if (error instanceof JoulebenchError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

const edited =
  (change: (file: Record<string, unknown>) => void) =>
  (folder: string): void => {
    const path = join(folder, "session.json");
    const file = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    change(file);
    writeFileSync(path, JSON.stringify(file));
  };

const tape = "tape/000000.seg.gz";

test.each<[string, (folder: string) => void, string]>([
  ["its session.json gone", (folder) => rmSync(join(folder, "session.json")), "no session.json here, only a tape"],
  ["its session.json cut", (folder) => truncateSync(join(folder, "session.json"), 100), "is not whole JSON: it was cut off or edited"],
  ["an empty session.json", (folder) => writeFileSync(join(folder, "session.json"), "{}"), "is not a joulebench session file"],
  ["a session.json that is a list", (folder) => writeFileSync(join(folder, "session.json"), "[]"), "is not a joulebench session file"],
  ["its origin gone", edited((file) => delete file.origin), "lacks the session's name or origin"],
  ["its name gone", edited((file) => delete file.session), "lacks the session's name or origin"],
  [
    "a newer format",
    edited((file) => Object.assign(file, { format: 99 })),
    "by a newer joulebench (format 99, this one reads 1); update joulebench",
  ],
  [
    "an unknown import",
    edited((file) => Object.assign(file, { origin: { import: "xyz" } })),
    "imported from xyz, which this joulebench does not",
  ],
  ["a run's origin but no rig", edited((file) => Object.assign(file, { origin: { run: true } })), "name: missing"],
  ["its tape gone", (folder) => rmSync(join(folder, "tape"), { recursive: true }), "cannot be read; is this a session folder?"],
  ["an empty tape folder", (folder) => rmSync(join(folder, tape)), "no tape here (expected 000000.seg or 000000.seg.gz)"],
])("a session with %s is refused as config, and left as it is", (name, damage, message) => {
  const folder = join(dir, name);
  cpSync(whole, folder, { recursive: true });
  damage(folder);
  const before = readdirSync(folder, { recursive: true }).sort();
  const error = refusal(() => analyzeSession(folder));
  expect(error.kind).toBe("config");
  expect(error.message).toContain(message);
  expect(error.message).toContain(folder);
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
});

test("an import is analysed from its tape alone: the files it was made of may be gone", () => {
  const written = readFileSync(join(whole, "results.json"), "utf8");
  rmSync(join(dir, "given"), { recursive: true });
  expect(`${JSON.stringify(analyzeSession(whole).results, null, 1)}\n`).toBe(written);
});

describe("a new folder", () => {
  test("is made below sessions/ under a name that sorts by time, when none is given", () => {
    const before = process.cwd();
    process.chdir(dir);
    try {
      const folder = createSessionFolder("pi5", undefined);
      expect(folder.dir).toMatch(/^sessions\/\d{8}-\d{6}-pi5-[0-9a-f]{8}$/);
      expect(folder.dir.endsWith(folder.session)).toBe(true);
      expect(existsSync(folder.dir)).toBe(true);
    } finally {
      process.chdir(before);
    }
  });

  test("is refused where a session is", () => {
    expect(refusal(() => createSessionFolder("pi5", whole))).toMatchObject({
      kind: "config",
      message: expect.stringContaining("never overwritten"),
    });
  });

  test("that cannot be made is a matter of the sink", () => {
    expect(refusal(() => createSessionFolder("pi5", join(whole, "session.json")))).toMatchObject({ kind: "sink" });
  });

  test("taken away again leaves what else was there", () => {
    const out = join(dir, "notes");
    mkdirSync(out);
    writeFileSync(join(out, "notes.txt"), "mine\n");
    const folder = createSessionFolder("pi5", out);
    folder.describe({ state: "recording", origin: { run: true }, identities: {} });
    mkdirSync(join(out, "tape"));
    folder.discard();
    expect(readdirSync(out)).toEqual(["notes.txt"]);
    const other = createSessionFolder("pi5", join(dir, "other"));
    other.describe({ state: "recording", origin: { run: true }, identities: {} });
    other.discard();
    expect(existsSync(join(dir, "other"))).toBe(false);
  });
});
