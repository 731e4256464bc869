import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseExperiment } from "../../src/rig/parse-experiment.ts";
import { parseRig } from "../../src/rig/rig.ts";
import { runCell } from "../../src/session/cell.ts";

const root = mkdtempSync(join(tmpdir(), "joulebench-given-up-"));
afterAll(() => {
  const left = processes();
  for (const pid of left) process.kill(pid, "SIGKILL");
  rmSync(root, { recursive: true });
});

/** What is running with the test's folder in its arguments. */
function processes(): number[] {
  const isOurs = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(root);
    } catch {
      return false; // It ended meanwhile.
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isOurs(name))
    .map(Number);
}

/** Measures one cell of runs on this machine, each of which says that it began. */
async function measured(name: string, plan: string) {
  const folder = join(root, name);
  mkdirSync(folder);
  const [program, begun] = [join(folder, "program"), join(folder, "begun")];
  writeFileSync(begun, "");
  writeFileSync(program, `#!/bin/sh\necho begun >>"$1"\nsleep 20\n`, { mode: 0o755 });
  const rig = parseRig("name: bench\ninstruments: {}\ndevice: { engine: { kind: command, argv: [sh] } }\n", "rig.yaml");
  const workload = `{ kind: command, argv: [${program}, ${begun}], count: 5 }`;
  const text = `workload: ${workload}\nbaseline_s: 0\nsettle_s: 0\nafter_s: 0\n${plan}`;
  const [cell] = parseExperiment(text, "plan.yaml", rig).cells;
  const outcome = await runCell(rig, cell!, join(folder, "cell"), { signal: new AbortController().signal, start: new Map() });
  return { outcome, begun: readFileSync(begun, "utf8").trim().split("\n") };
}

test("work that takes too long is given up: nothing more is started, and nothing is left running", async () => {
  const { outcome, begun } = await measured("late", "timeout_s: 1");
  expect(outcome).toMatchObject({ state: "failed", reason: expect.stringContaining("did not end within 1 s; raise plan.timeout_s") });
  expect([begun, processes()]).toEqual([["begun"], []]);
});
