import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Results } from "../../src/model/results.ts";
import { ROOT, scratch } from "../e2e/bench.ts";
import { joulebench, start } from "../e2e/joulebench.ts";

/* The command line as a stranger meets it: help, slips of the pen, and what stands on stdout. */

// Each starts a program or two, and others test at the same time.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const { dir, remove } = scratch();
afterAll(remove);
const run = (...args: readonly string[]) => joulebench(args, { cwd: dir });

const widest = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));

/** Every command as main.ts registers it, with its help as an 80 column terminal shows it. */
async function helps(): Promise<ReadonlyMap<string, string>> {
  const program = new Command("joulebench");
  for (const name of readdirSync(join(ROOT, "src/cli"))) {
    const exports = (await import(`../../src/cli/${name.replace(/\.ts$/, "")}.ts`)) as Readonly<Record<string, unknown>>;
    for (const [what, register] of Object.entries(exports)) if (what.startsWith("register")) (register as (to: Command) => void)(program);
  }
  return new Map(
    program.commands.map((command) => {
      let text = "";
      const writeOut = (part: string): void => {
        text += part;
      };
      command.configureOutput({ writeOut, getOutHelpWidth: () => 80 }).outputHelp();
      return [command.name(), text];
    }),
  );
}

describe("help", () => {
  test("names every command and every exit code, and fits a terminal", async () => {
    const { code, stdout, stderr } = await run("--help");
    expect([code, stderr]).toEqual([0, ""]);
    const commands = [...(await helps()).keys()];
    expect(commands).toEqual(expect.arrayContaining(["demo", "init", "check", "run", "analyze", "validate", "import"]));
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
    for (const exit of ["0 valid", "1 done but not valid", "2 usage or rig", "130 interrupted"]) expect(stdout).toContain(exit);
    expect(widest(stdout)).toBeLessThanOrEqual(80);
  });

  test("every command has an example that begins with its own name, and fits a terminal", async () => {
    for (const [command, help] of await helps()) {
      expect(help).toMatch(new RegExp(`Examples?:\\n  joulebench ${command}`));
      expect(help.split("\n").filter((line) => line.length > 80)).toEqual([]);
    }
  });

  test("an example of import names its format once", async () => {
    const help = (await helps()).get("import")!;
    for (const format of ["generic", "eembc", "mlperf-power"]) {
      expect(help).toMatch(new RegExp(`^  ${format}\\s+\\S`, "m"));
      expect(help).toMatch(new RegExp(`joulebench import ${format} (?!${format})`));
    }
  });
});

describe.concurrent("a slip of the pen", () => {
  test.for<[string, readonly string[], string]>([
    ["an unknown command", ["meassure"], "unknown command 'meassure'"],
    ["an unknown option", ["run", "rig.yaml", "--outt", "x"], "unknown option '--outt'"],
    ["a missing argument", ["run"], "missing required argument 'rig'"],
    ["an unknown format", ["import", "csv", ".", "--out", "x"], "csv: no such import format; there are: generic"],
    ["a rig that is not there", ["run", "nope.yaml"], "nope.yaml: no such file; expected a rig file; `joulebench init` writes one"],
    ["a rig that is a folder", ["check", "."], ".: is a folder; expected a rig file"],
    [
      "a plan that is not there",
      ["run", join(ROOT, "rigs/virtual.yaml"), "--plan", "p.yaml"],
      "p.yaml: no such file; expected a plan file",
    ],
    ["a seed that is no number", ["demo", "--seed", "seven"], "--seed seven: expected a whole number"],
  ])("%s: exit code 2, one message on stderr, nothing on stdout", async ([, args, message]) => {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
    expect(stderr.split("\n").length).toBeLessThanOrEqual(4);
  });

  test("nothing was made by any of them", () => {
    expect(readdirSync(dir).filter((name) => name !== "generic" && name !== "imported")).toEqual([]);
  });
});

describe("a result", () => {
  let session: string;
  beforeAll(async () => {
    session = join(dir, "imported");
    mkdirSync(join(dir, "generic"));
    writeGeneric(join(dir, "generic"), 6);
    const { code, stdout, stderr } = await run("import", "generic", "generic", "--out", session, "--json");
    expect([code, stderr]).toEqual([0, `session kept in ${session}\n`]);
    expect(stdout).toBe(readFileSync(join(session, "results.json"), "utf8"));
  });

  test("of analyze and validate is one JSON document with --json, and nothing else", async () => {
    const analyzed = await run("analyze", session, "--json", "--budget");
    expect([analyzed.code, analyzed.stderr]).toEqual([0, ""]);
    const results = JSON.parse(analyzed.stdout) as Results;
    const validated = await run("validate", session, "--json");
    expect([validated.code, validated.stderr]).toEqual([0, ""]);
    expect(JSON.parse(validated.stdout)).toEqual(results.validity);
  });

  test("is a table that fits a terminal otherwise: value ± U, k, n, the rules that do not hold", async () => {
    const { code, stdout, stderr } = await run("analyze", session, "--budget");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/decode per token\s+\d[\d.]* ± [\d.]+\s+J\/token\s+\d\.\d\d\s+6$/m);
    expect(stdout).toMatch(/WARN\s+baseline/);
    expect(widest(stdout.replaceAll(session, "SESSION"))).toBeLessThanOrEqual(80);
    const rules = await run("validate", session);
    expect(rules.stdout).toMatch(/PASS\s+requests/);
    expect(widest(rules.stdout)).toBeLessThanOrEqual(80);
  });

  test("is not computed with a rig it never had", async () => {
    const { code, stderr } = await run("analyze", session, "--rig", join(ROOT, "rigs/virtual.yaml"));
    expect(code).toBe(2);
    expect(stderr).toContain("was imported and has no rig");
  });

  test("is not written over", async () => {
    const before = readFileSync(join(session, "session.json"), "utf8");
    const { code, stderr } = await run("import", "generic", "generic", "--out", session);
    expect(code).toBe(2);
    expect(stderr).toContain("already holds a session; choose another --out, sessions are never overwritten");
    expect(readFileSync(join(session, "session.json"), "utf8")).toBe(before);
  });

  test("that cannot be kept: exit code 4", async () => {
    const { code, stdout, stderr } = await run("import", "generic", "generic", "--out", "/dev/null/session");
    expect([code, stdout]).toEqual([4, ""]);
    expect(stderr).toMatch(/^joulebench: \/dev\/null\/session: cannot be made \(.*\); choose another --out\n$/);
  });

  test("whose reader has seen enough is no error", async () => {
    const running = start(["analyze", session, "--json"], { cwd: dir });
    running.hangUp();
    const { code, stderr } = await running.ended;
    expect([code, stderr]).toEqual([0, ""]);
  });
});

/** Requests of one second prefill and one second decode at 5 W, with 10 s of idle at 1 W before. */
function writeGeneric(folder: string, requests: number): void {
  const end_s = 10 + requests * 3;
  const times = Array.from({ length: end_s * 50 }, (_, k) => (k + 1) / 50);
  const power_w = (t: number): number => (t > 10 && (t - 10) % 3 <= 2 ? 5 : 1) + 0.01 * Math.sin(137 * t);
  writeFileSync(join(folder, "power.csv"), `time_s,power_w\n${times.map((t) => `${t.toFixed(2)},${power_w(t).toFixed(4)}`).join("\n")}\n`);
  const events = Array.from({ length: requests }, (_, k) => {
    const [request, t] = [`r${k + 1}`, 10 + 3 * k];
    return [
      { type: "request_start", request, time_s: t },
      { type: "first_token", request, time_s: t + 1, tokens: 50 },
      ...Array.from({ length: 10 }, (_, n) => ({ type: "token", request, time_s: t + 1 + (n + 1) / 10, tokens: 1 })),
      { type: "request_end", request, time_s: t + 2 },
    ];
  }).flat();
  writeFileSync(join(folder, "events.jsonl"), `${events.map((each) => JSON.stringify(each)).join("\n")}\n`);
  writeFileSync(join(folder, "rig.json"), JSON.stringify({ sampler: "integrating", rate_hz: 50, idle: [[0, 10]] }));
}
