import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generic } from "../../src/importers/generic.ts";

function decode(texts: Readonly<Record<string, string>>): unknown {
  const all = { "power.csv": "time_s,power_w\n1,5\n2,5\n", "events.jsonl": "", ...texts };
  return generic.decode(Object.entries(all).map(([name, text]) => ({ name, bytes: new TextEncoder().encode(text) })));
}
const power = (text: string) => () => decode({ "power.csv": text });

test("headers that cannot be used", () => {
  expect(power("")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 1 problem
      power.csv: is empty; expected a header line]
  `);
  expect(power("\n\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 1 problem
      power.csv: is empty; expected a header line]
  `);
  expect(power("time_s,power_w\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 1 problem
      power.csv: has a header and no rows]
  `);
  expect(power("t,watts\n1,2\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 1 problem
      power.csv:1: expected time_s, and power_w or both of current_a and voltage_v; found t, watts]
  `);
  expect(power("time_s,current_a\n1,2\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 1 problem
      power.csv:1: expected time_s, and power_w or both of current_a and voltage_v; found time_s, current_a]
  `);
  expect(power("time_s;power_w\n1;2\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 1 problem
      power.csv:1: columns must be separated by commas]
  `);
  expect(power('"time_s","power_w"\n1,2\n')).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 1 problem
      power.csv:1: quoted fields are not read; write plain names and numbers]
  `);
  expect(power("time_s,power_w,power_w\n1,2,2\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 1 problem
      power.csv:1: a column is named twice in "time_s,power_w,power_w"]
  `);
  expect(power("time_s,power_w\n1,5\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 1 problem
      power.csv: has one row; state rate_hz in rig.json, or nobody knows how long it stands for]
  `);
});

test("cells that are no numbers, rows of another length, times that do not rise", () => {
  expect(
    power('time_s,power_w\n1,five\n2,NaN\n3,inf\n4,\n5,"5"\n6,1e999\n7,1,5\n8\n9,0x10\n9,5\n8.5,5\n1.2.3,5\n'),
  ).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 12 problems
      power.csv:2: power_w is "five", expected a finite number
      power.csv:3: power_w is "NaN", expected a finite number
      power.csv:4: power_w is "inf", expected a finite number
      power.csv:5: power_w is empty, expected a finite number
      power.csv:6: power_w is "\\"5\\"", expected a finite number; quoted fields are not read
      power.csv:7: power_w is "1e999", expected a finite number
      power.csv:8: has 3 cells, expected 2 (time_s, power_w)
      power.csv:9: has 1 cell, expected 2 (time_s, power_w)
      power.csv:10: power_w is "0x10", expected a finite number
      power.csv:11: time_s 9 comes twice
      and 2 more]
  `);
  expect(power("time_s,power_w\r\n1,5\r\n\r\n1,5\r\n")).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 1 problem
      power.csv:4: time_s 1 comes twice]
  `);
});

test("a file of another kind is told in a few lines", () => {
  expect(power(`time_s,power_w\n${"\u0000\u0001\n".repeat(5000)}`)).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 5000 problems
      power.csv:2: has 1 cell, expected 2 (time_s, power_w)
      power.csv:3: has 1 cell, expected 2 (time_s, power_w)
      power.csv:4: has 1 cell, expected 2 (time_s, power_w)
      power.csv:5: has 1 cell, expected 2 (time_s, power_w)
      power.csv:6: has 1 cell, expected 2 (time_s, power_w)
      power.csv:7: has 1 cell, expected 2 (time_s, power_w)
      power.csv:8: has 1 cell, expected 2 (time_s, power_w)
      power.csv:9: has 1 cell, expected 2 (time_s, power_w)
      power.csv:10: has 1 cell, expected 2 (time_s, power_w)
      power.csv:11: has 1 cell, expected 2 (time_s, power_w)
      and 4990 more]
  `);
});

test("every file's problems come together", () => {
  expect(() =>
    decode({
      "power.csv": "time_s,power_w\n1,5\n2,x\n",
      "events.jsonl":
        '{"type":"request_start","request":"r1","time_s":"soon"}\n\n{"type":"started","time_s":1}\nrequest r2\n{"type":"token","time_s":1}\n',
      "telemetry.csv": "time_s,channel,value\n1,temperature_degc:die,40\n0.5,temperature_degc:die,41\nnan,a,1\n2,,1\n2,a\n",
      "rig.json": '{"sampler":"averaged","rate_hz":0,"idle":[[2,1],[3]],"gain":0.1}',
    }),
  ).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 14 problems
      rig.json: sampler: Invalid option: expected one of "integrating"|"point"
      rig.json: rate_hz: Too small: expected number to be >0
      rig.json: idle.0: expected [start, end] with start before end
      rig.json: idle.1: Too small: expected array to have >=2 items
      rig.json: Unrecognized key: "gain"
      power.csv:3: power_w is "x", expected a finite number
      events.jsonl:1: time_s: expected number, received string
      events.jsonl:3: type: expected one of "load_start"|"load_end"|"request_start"|"first_token"|"token"|"request_end"|"unit_start"|"unit_end"
      events.jsonl:4: expected a JSON object
      events.jsonl:5: request: expected the name of the request
      and 4 more]
  `);
});

test("broken JSON is placed, a telemetry header is named", () => {
  expect(() =>
    decode({ "rig.json": '{\n  "rate_hz": 10,\n  sampler: "point"\n}\n', "telemetry.csv": "time_s,zone,degc\n" }),
  ).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 2 problems
      rig.json:3: is not JSON
      telemetry.csv:1: expected the columns time_s, channel, value; found time_s, zone, degc]
  `);
  expect(() => decode({ "rig.json": "{", "telemetry.csv": "" })).toThrowErrorMatchingInlineSnapshot(`
    [JoulebenchError: generic import: 2 problems
      rig.json:1: is not JSON
      telemetry.csv: expected the columns time_s, channel, value; found nothing]
  `);
});

test("a folder without power or events says so; the others may be absent", async () => {
  const folder = await mkdtemp(join(tmpdir(), "joulebench-generic-"));
  await expect(generic.collect(folder)).rejects.toThrow("power.csv is missing; events.jsonl is missing");
  await writeFile(join(folder, "power.csv"), "time_s,power_w\n1,5\n2,5\n");
  await writeFile(join(folder, "events.jsonl"), "");
  const files = await generic.collect(folder);
  expect(files.map(({ name }) => name)).toEqual(["power.csv", "events.jsonl"]);
  expect(generic.decode(files).events).toEqual([]);
  await rm(folder, { recursive: true });
});
