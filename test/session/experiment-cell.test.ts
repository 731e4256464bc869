import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { CoolDown } from "../../src/rig/conditions.ts";
import { parseExperiment } from "../../src/rig/parse-experiment.ts";
import { parseRig } from "../../src/rig/rig.ts";
import { type CellContext, runCell } from "../../src/session/cell.ts";
import { coolDown } from "../../src/session/cool-down.ts";

const root = mkdtempSync(join(tmpdir(), "joulebench-cell-"));
afterAll(() => rmSync(root, { recursive: true }));
let made = 0;

/** One cell on this machine, whose settings write what they do into a log. @param plan with LOG for commands of settings */
function cellOf(plan: string, port = "/dev/ttyNOWHERE0") {
  const dir = join(root, String(made++));
  mkdirSync(dir);
  const rig = parseRig(
    `name: bench
instruments: { meter: { kind: bridge-ina219, port: ${port}, shunt_ohm: 0.1 } }
measurand: meter.main
device: { command: [${process.execPath}, -e, ""] }
`,
    "rig.yaml",
  );
  const [cell] = parseExperiment(plan.replaceAll("LOG", join(dir, "log")), "plan.yaml", rig).cells;
  const log = (): string[] => (existsSync(join(dir, "log")) ? readFileSync(join(dir, "log"), "utf8").trim().split(" ") : []);
  const run = (context: Partial<CellContext> = {}) =>
    runCell(rig, cell!, join(dir, "cell"), { signal: new AbortController().signal, start: new Map(), ...context });
  return { run, log, folder: join(dir, "cell") };
}

const setting = (name: string, code = 0): string =>
  `{ set: [sh, -c, 'printf "%s " "$2" >> "$1"; exit ${code}', sh, LOG, +${name}], restore: [sh, -c, 'printf "%s " "$2" >> "$1"', sh, LOG, -${name}] }`;

describe("settings", () => {
  test("are undone, the last first, after a cell that failed", async () => {
    const { run, log } = cellOf(`settings: [${setting("a")}, ${setting("b")}]`);
    expect(await run()).toMatchObject({ state: "failed", error: { kind: "link", subject: "/dev/ttyNOWHERE0" } });
    expect(log()).toEqual(["+a", "+b", "-b", "-a"]);
  });

  test("are undone when one of them fails: also that one, which may have done half of it", async () => {
    const { run, log, folder } = cellOf(`settings: [${setting("a")}, ${setting("b", 4)}, ${setting("c")}]`);
    expect(await run()).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/ended with exit code 4/),
      error: { kind: "config" },
    });
    expect(log()).toEqual(["+a", "+b", "-b", "-a"]);
    expect(existsSync(folder)).toBe(false);
  });

  test("are undone after an interrupt, in the middle of the session", async () => {
    const controller = new AbortController();
    // A terminal's master side: a port that opens and stays silent.
    const { run, log, folder } = cellOf(`settings: [${setting("a")}]`, "/dev/ptmx");
    const outcome = await run({ signal: controller.signal, watcher: { stage: () => controller.abort() } });
    expect(outcome).toEqual({ state: "interrupted" });
    expect(log()).toEqual(["+a", "-a"]);
    expect(existsSync(join(folder, "session.json"))).toBe(true);
  });

  test("are undone after an interrupt at the gate", async () => {
    const controller = new AbortController();
    const { run, log } = cellOf(
      `settings: [${setting("a")}]\ncool_down: { zone: none of this machine, below_degc: 40, hold_s: 60, every_s: 30, timeout_s: 3600 }`,
    );
    const waiting: string[] = [];
    const watcher = {
      waiting: (detail: string) => {
        waiting.push(detail);
        controller.abort();
      },
    };
    expect(await run({ signal: controller.signal, watcher })).toEqual({ state: "interrupted" });
    expect(waiting).toEqual([expect.stringMatching(/^none of this machine: cannot be read; wanted a temperature; there are: ./)]);
    expect(log()).toEqual(["+a", "-a"]);
  });

  test("that cannot be undone are told, and the others are undone all the same", async () => {
    const bad = "{ set: ['true'], restore: [sh, -c, 'echo stuck >&2; exit 1'] }";
    const { run, log } = cellOf(`settings: [${setting("a")}, ${bad}]`);
    const notices: string[] = [];
    const outcome = await run({ watcher: { notice: (message) => notices.push(message) } });
    expect(outcome.notes).toEqual([expect.stringMatching(/^not restored: \["sh",.*ended with exit code 1: stuck/)]);
    expect(notices).toEqual(outcome.notes);
    expect(log()).toEqual(["+a", "-a"]);
  });
});

describe("checks", () => {
  test("that do not hold end the cell unmeasured, and are recorded", async () => {
    const { run, log, folder } = cellOf(`settings: [${setting("a")}]\npreflight: [load, { check: free_memory_bytes, at_least: 1.0e+18 }]`);
    const outcome = await run();
    expect(outcome).toMatchObject({
      state: "invalid",
      reason: expect.stringMatching(/^not measured: free_memory_bytes is \d+, and the plan wants at least 1000000000000000000$/),
      conditions: { load: expect.stringMatching(/^\d+\.\d+$/), free_memory_bytes: expect.stringMatching(/^\d+$/) },
    });
    expect(log()).toEqual(["+a", "-a"]);
    expect(existsSync(folder)).toBe(false);
  });

  test("that hold stand in the session's provenance", async () => {
    const controller = new AbortController();
    const { run, folder } = cellOf("preflight: [load]", "/dev/ptmx");
    await run({ signal: controller.signal, watcher: { stage: () => controller.abort() } });
    const session = JSON.parse(readFileSync(join(folder, "session.json"), "utf8"));
    expect(session).toMatchObject({
      identities: { preflight: { load: expect.stringMatching(/^\d/) } },
      plan: { preflight: [{ check: "load" }], baseline_s: 10 },
    });
  });
});

describe("the gate of a cell, in time that is data", () => {
  const at = (values: readonly (number | undefined)[], rule: object, signal = new AbortController().signal) => {
    let [now_s, reads] = [0, 0];
    const source = {
      temperatures: async () =>
        new Map(
          Object.entries({ cpu: values[Math.min(reads++, values.length - 1)] }).flatMap(([zone, degc]) =>
            degc === undefined ? [] : [[zone, degc] as const],
          ),
        ),
      now_s: () => now_s,
      wait: async (duration_s: number) => {
        now_s += duration_s;
      },
      signal,
      says: () => {},
    };
    return coolDown(CoolDown.parse({ hold_s: 30, every_s: 5, ...rule }), undefined, source).then((verdict) => ({ ...verdict, now_s }));
  };

  test("opens when it is cool", async () => {
    expect(await at([60, 55, 50, 45, 39], { below_degc: 40 })).toMatchObject({ state: "open", now_s: 50 });
  });

  test("is given up on time, whatever it has forgotten of a long wait", async () => {
    expect(await at([60], { below_degc: 40, timeout_s: 7200 })).toMatchObject({ state: "late", now_s: 7200 });
    expect(await at([undefined], { below_degc: 40, timeout_s: 3600 })).toMatchObject({ state: "late", now_s: 3600 });
  });
});
