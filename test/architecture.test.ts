import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ROOMS, violations } from "./architecture/rooms.ts";

const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

test("no file imports what its room may not", () => {
  expect(files.length).toBeGreaterThan(0);
  expect(files.flatMap((file) => violations(file.replaceAll("\\", "/"), readFileSync(`src/${file}`, "utf8")))).toEqual([]);
});

describe("the table is the one of docs/architecture.md", () => {
  const rows = table(readFileSync("docs/architecture.md", "utf8"));

  test("names the same rooms", () => {
    expect(rows.flatMap(({ rooms }) => rooms).sort()).toEqual(Object.keys(ROOMS).sort());
  });

  test("allows the same", () => {
    for (const { rooms, allowed, forbidden } of rows) {
      for (const room of rooms) {
        if (allowed.includes("everything to their left in the folder list")) continue;
        const { rooms: ours, packages, types = [], node } = ROOMS[room]!;
        expect(allowed.filter((word) => word in ROOMS).sort(), room).toEqual([...ours].sort());
        // What the page calls "their library" is spelt out in the table; all else stands on both.
        const named = allowed.filter((word) => !(word in ROOMS) && word !== "their library" && word !== "file reading");
        expect([...packages, ...types], room).toEqual(expect.arrayContaining(named));
        if (forbidden.includes("`node:*`")) expect(node, room).toBeUndefined();
      }
    }
  });

  test("only server, cli and main see the session", () => {
    const importers = Object.keys(ROOMS).filter((room) => ROOMS[room]!.rooms.includes("session"));
    expect(importers).toEqual(["server", "cli", "main"]);
  });
});

describe("what the check must see", () => {
  test.each([
    ["another room", "ports/tcp.ts", 'import { x } from "../instruments/x.ts";'],
    ["a type of another room", "clock/fit.ts", 'import type { Session } from "../session/run.ts";'],
    ["a type in passing", "metrics/energy.ts", 'export type T = import("../store/tape.ts").Tape;'],
    ["an import over several lines", "simulate/host.ts", 'import {\n  a,\n  // from "zod"\n  b,\n} from "../instruments/ina.ts";'],
    ["a re-export", "windows/index.ts", 'export { phases } from "../session/phases.ts";'],
    ["a re-export of everything", "windows/index.ts", 'export * from "../session/phases.ts";'],
    ["a dynamic import", "parsers/late.ts", 'export const late = () => import("node:fs");'],
    ["a computed import", "cli/run.ts", 'export const load = (name: string) => import("./" + name);'],
    ["an import for its effect", "instruments/x.ts", 'import "../ports/serial.ts";'],
    ["require", "cli/run.ts", 'const fs = require("node:fs");'],
    ["a module of Node", "telemetry/zones.ts", 'import { readFileSync } from "node:fs";'],
    ["more of Node than files", "importers/eembc.ts", 'import { spawn } from "node:child_process";'],
    ["a package of others", "clock/ping.ts", 'import { map } from "rxjs";'],
    ["a value where types are allowed", "model/sink.ts", 'import { z } from "zod";'],
    ["the session", "rig/rig.ts", 'import { run } from "../session/run.ts";'],
    ["rxjs outside the session", "server/api.ts", 'import { map } from "rxjs";'],
    ["a file outside src", "cli/run.ts", 'import { plant } from "../../test/plant.ts";'],
    ["a path without its ending", "cli/run.ts", 'import { plant } from "../simulate/plant";'],
    ["the time of day", "metrics/energy.ts", "export const now = () => Date.now();"],
    ["today", "windows/cut.ts", "export const now = () => new Date();"],
    ["a timer", "instruments/ina.ts", "setTimeout(() => {}, 1);"],
    ["the process", "parsers/jsonl.ts", "export const now = () => process.hrtime.bigint();"],
    ["chance", "clock/fit.ts", "export const x = Math.random();"],
    ["a folder nobody agreed on", "utils/x.ts", "export const x = 1;"],
  ])("%s", (_, path, text) => {
    expect(violations(path, text)).toHaveLength(1);
  });

  test("and what it must let pass", () => {
    const allowed = [
      'import type { z } from "zod";',
      '// import "../session/run.ts"',
      "export const text = 'import { a } from \"rxjs\"';",
      "export const then = new Date(0).getTime() + Date.UTC(2026, 0);",
      "export const record = { process: 1, import: 2 };",
      'export * from "./clock.ts";',
    ];
    expect(violations("model/sink.ts", allowed.join("\n"))).toEqual([]);
    expect(violations("main.ts", 'import { run } from "./cli/run.ts";\nimport { argv } from "node:process";')).toEqual([]);
    expect(violations("session/run.ts", 'import { merge } from "rxjs";\nimport { ports } from "../ports/index.ts";')).toEqual([]);
  });
});

/** Rows of the import table: the rooms of the first cell, the names of the second, the third as it stands. */
function table(page: string): { rooms: string[]; allowed: string[]; forbidden: string }[] {
  const lines = page.split("\n");
  const head = lines.findIndex((line) => line.startsWith("| room | may import"));
  const end = lines.findIndex((line, at) => at > head && !line.startsWith("|"));
  return lines.slice(head + 2, end).map((line) => {
    const [, rooms = "", allowed = "", forbidden = ""] = line.split("|");
    const names = allowed.replace(/\(.*?\)/g, "").replaceAll("`", "");
    const split = names.split(",").map((name) => name.trim());
    return { rooms: [...rooms.matchAll(/`(\w+)`/g)].map((match) => match[1]!), allowed: split.filter(Boolean), forbidden };
  });
}
