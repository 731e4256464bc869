import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseExperiment } from "../../src/rig/parse-experiment.ts";
import { parseRig } from "../../src/rig/rig.ts";
import { runCell } from "../../src/session/cell.ts";
import { commandOf, processesOf, signal } from "../sshd/processes.ts";
import { type Sshd, startSshd } from "../sshd/sshd.ts";
import { optionsFor } from "../transports/ssh-bench.ts";

let dir: string;
let pi: Sshd;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "joulebench-lost-loading-"));
  pi = await startSshd({ tree: "pi" });
});
afterAll(async () => {
  await pi.stop();
  rmSync(dir, { recursive: true });
});

const MODEL = "never-loaded.gguf";
const servers = (): string[] =>
  processesOf(pi.pid)
    .map(commandOf)
    .filter((command) => command.includes(MODEL) && !command.startsWith("sshd"));

test("a server whose link is lost while it loads is ended once the link is back, and the loss is what is told", async () => {
  const path = join(pi.folder, "server");
  // Loads for ever, whatever happens to its terminal.
  writeFileSync(path, "#!/bin/sh\ntrap '' HUP PIPE\nwhile :; do sleep 1; done\n");
  chmodSync(path, 0o755);
  const engine = { kind: "llama-server", path, model: MODEL, port: 18080 };
  const device = { transport: { kind: "ssh", ...optionsFor(pi) }, engine };
  const rig = parseRig(JSON.stringify({ name: "bench", instruments: {}, device }), "rig.json");
  const workload = "{ kind: fixed, prompt_tokens: 8, output_tokens: 4, count: 1 }";
  const [cell] = parseExperiment(`workload: ${workload}\nbaseline_s: 0\nsettle_s: 0\nafter_s: 0\n`, "plan.yaml", rig).cells;
  const lose = async (): Promise<void> => {
    await expect.poll(servers, { interval: 1 }).not.toEqual([]);
    const listening = pi.pid;
    signal([listening], "SIGSTOP");
    pi.killSessions();
    // Nobody answers for longer than it takes to notice.
    setTimeout(() => signal([listening], "SIGCONT"), 2000);
  };
  let lost: Promise<void> | undefined;
  const stage = (name: string): void => {
    if (name === "loading") lost = lose();
  };
  const outcome = await runCell(rig, cell!, join(dir, "cell"), {
    signal: new AbortController().signal,
    start: new Map(),
    watcher: { stage },
  });
  await lost;
  expect(outcome).toMatchObject({ state: "failed", error: { kind: "link" }, reason: expect.stringMatching(/link (is|was) lost/) });
  expect(servers()).toEqual([]);
});
