import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Results } from "../../src/model/results.ts";
import { seeded } from "../../src/simulate/random.ts";
import { type Sshd, startSshd } from "../sshd/sshd.ts";
import { randomText } from "../transports/random-text.ts";
import { optionsFor } from "../transports/ssh-bench.ts";
import { scratch } from "./bench.ts";
import { joulebench } from "./joulebench.ts";

/* A whole plan on a device behind a real sshd: what the plan's texts become there, and a run that dies. */

const { dir, remove } = scratch();
let pi: Sshd;
beforeAll(async () => {
  pi = await startSshd({ tree: "pi" });
});
afterAll(async () => {
  await pi.stop();
  remove();
});

const DIES = "the run that dies";

test("a plan's texts reach the device as they are, whatever a shell would make of them; a run that dies is a result", async () => {
  const random = seeded(7);
  const texts = Array.from({ length: 60 }, () => randomText(random));
  const [name, kept, set] = [join(pi.folder, "home", "-k'eep $(reboot)"), join(pi.folder, "home/kept"), join(pi.folder, "home/set")];
  // Keeps its argument, ended by a zero byte as none of them can be.
  writeFileSync(name, `#!/bin/sh\nprintf '%s\\0' "$2" >>"$1"\n[ "$2" != '${DIES}' ] || kill -9 $$\n`, { mode: 0o755 });
  const prompts = [...texts.slice(0, 40), DIES];
  const settings = texts.slice(40).map((text) => ({ set: [name, set, text], restore: [name, set, `restored ${text}`] }));
  const device = {
    transport: { kind: "ssh", ...optionsFor(pi) },
    engine: { kind: "command", argv: [name, kept, "{prompt}"], unit: "run" },
  };
  writeFileSync(join(dir, "rig.json"), JSON.stringify({ name: "strings", instruments: {}, device }));
  const plan = { baseline_s: 0, after_s: 0, settle_s: 0, workload: { kind: "prompts", prompts }, settings };
  writeFileSync(join(dir, "plan.json"), JSON.stringify(plan));
  const ended = await joulebench(["run", "rig.json", "--plan", "plan.json", "--out", "out"], { cwd: dir });
  const arrived = (path: string): string[] => readFileSync(path, "utf8").split("\0").slice(0, -1);
  expect(arrived(kept), ended.stderr).toEqual(prompts);
  expect(arrived(set)).toEqual([...settings.map((each) => each.set[2]), ...settings.toReversed().map((each) => each.restore[2])]);
  const [cell] = readdirSync(join(dir, "out/cells"));
  const { outcomes, summary } = JSON.parse(readFileSync(join(dir, "out/cells", cell!, "results.json"), "utf8")) as Results;
  expect(outcomes).toEqual([{ request: expect.any(String), outcome: "crash" }]);
  expect(summary.time_per_unit).toMatchObject({ n: 40 });
});
