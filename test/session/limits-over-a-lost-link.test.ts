import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseExperiment } from "../../src/rig/parse-experiment.ts";
import { parseRig } from "../../src/rig/rig.ts";
import { runCell } from "../../src/session/cell.ts";
import { type Sshd, startSshd } from "../sshd/sshd.ts";
import { optionsFor } from "../transports/ssh-bench.ts";

const PLAN = "limits: { temperature_degc: 90, zone: cpu-thermal, every_s: 0.1 }\nbaseline_s: 0\nsettle_s: 0\nafter_s: 0\n";
const [COOL, HOT] = ["45000\n", "95000\n"];

let dir: string;
let pi: Sshd;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "joulebench-lost-limit-"));
  pi = await startSshd({ tree: "pi" });
});
afterAll(async () => {
  await pi.stop();
  rmSync(dir, { recursive: true });
});

const rigWith = (device: object) =>
  parseRig(
    JSON.stringify({
      name: "bench",
      instruments: {},
      device: {
        transport: { kind: "ssh", ...optionsFor(pi) },
        command: ["sh", "-c", 'read start; sleep 15; echo \'{"type":"done"}\''],
        ...device,
      },
    }),
    "rig.json",
  );

test("a temperature is watched on over a link that was lost and mended", async () => {
  pi.write("sys/class/thermal/thermal_zone0/temp", COOL);
  const rig = rigWith({});
  const [cell] = parseExperiment(PLAN, "plan.yaml", rig).cells;
  const lose = async (): Promise<void> => {
    const before = pi.sessions();
    pi.killSessions();
    await expect.poll(() => pi.sessions().filter((pid) => !before.includes(pid))).not.toEqual([]);
    pi.write("sys/class/thermal/thermal_zone0/temp", HOT);
  };
  let lost: Promise<void> | undefined;
  const stage = (name: string): void => {
    if (name === "workload") lost = lose();
  };
  const outcome = await runCell(rig, cell!, join(dir, "cell"), {
    signal: new AbortController().signal,
    start: new Map(),
    watcher: { stage },
  });
  await lost;
  expect(outcome).toEqual({ state: "invalid", reason: "ended early: cpu-thermal was 95.0 degC, over the limit of 90 degC" });
});

test("a temperature that nobody can read is refused", () => {
  const rig = rigWith({ link: "detached" });
  expect(() => parseExperiment(`${PLAN}detached_s: 60\n`, "plan.yaml", rig)).toThrow(
    /limits\.temperature_degc.*needs a link while it is measured, and the rig's `link` is detached/,
  );
});
