import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { Results } from "../../src/model/results.ts";
import type { ExperimentSummary } from "../../src/session/experiment-summary.ts";
import type { Ended } from "../e2e/joulebench.ts";
import { joulebench } from "../e2e/joulebench.ts";
import { freePort } from "../e2e/loopback.ts";
import { writeModel } from "../engine/gguf.ts";

const PLANS = fileURLToPath(new URL("../../rigs/plans/", import.meta.url));
const ENGINE = fileURLToPath(new URL("../engine/bin/llama-server", import.meta.url));

/** What the emulated supply delivers, all the time. */
export const LOAD_W = 2;

const METER = {
  instruments: {
    meter: { kind: "bridge-ina219", emulated: "bridge-ina219", shunt_ohm: 0.10005, gain_uncertainty: 0.002, usb_latency_s: 0.0002 },
  },
  measurand: "meter.main",
  simulate: { load_w: LOAD_W },
};

/** Times that make a session short, whatever it does; an emulated bridge needs some for the rate of its clock to show. */
const SHORT = { settle_s: 0, warm_up: 0, pause_s: 0, repetitions: 1, order: "given", timeout_s: 60 };
const METERED = { baseline_s: 2, after_s: 1 };
const UNMETERED = { baseline_s: 0, after_s: 0 };

/** How a plan is run. @param changes dotted keys of the plan with what a test puts there; undefined takes a key out */
export interface Short {
  readonly changes?: Readonly<Record<string, unknown>>;
  readonly metered?: boolean;
  readonly transport?: object;
}

export interface Measured {
  readonly ended: Ended;
  readonly summary: ExperimentSummary;
  /** Of the cell that comes nth in the order, from 0. */
  readonly results: (n: number) => Results;
  readonly file: (n: number, name: string) => string;
  /** What joulebench said, and the rules that do not hold of each cell: for messages of failed tests. */
  readonly why: string;
}

/** A folder that holds a model and the plans, and runs them with the real engine against the stand-ins. */
export class PlanBench {
  readonly dir = mkdtempSync(join(tmpdir(), "joulebench-plans-"));
  readonly model = join(this.dir, "random.gguf");
  #runs = 0;

  constructor() {
    chmodSync(this.dir, 0o777);
    writeModel(this.model, { seed: 1, context: 4096 });
    mkdirSync(join(this.dir, "plans"));
    cpSync(join(PLANS, "data"), join(this.dir, "plans/data"), { recursive: true });
  }

  /** A program of the device, in sh. */
  script(name: string, text: string): string {
    const path = join(this.dir, name);
    writeFileSync(path, `#!/bin/sh\n${text}`, { mode: 0o755 });
    return path;
  }

  async run(name: string, { changes = {}, metered = false, transport = { kind: "local" } }: Short = {}): Promise<Measured> {
    const plan = shortened(parse(readFileSync(join(PLANS, `${name}.yaml`), "utf8")) as Record<string, unknown>, {
      ...(metered ? METERED : UNMETERED),
      ...changes,
    });
    const [planPath, rigPath, out] = [`plans/${name}.json`, `${name}-rig.json`, `${name}-out-${++this.#runs}`] as const;
    writeFileSync(join(this.dir, planPath), JSON.stringify(plan));
    const engine = { kind: "llama-server", path: ENGINE, model: this.model, context: 1024, port: await freePort() };
    writeFileSync(join(this.dir, rigPath), JSON.stringify({ name, ...(metered ? METER : {}), device: { transport, engine } }));
    const ended = await joulebench(["run", rigPath, "--plan", planPath, "--out", out, "--json"], { cwd: this.dir });
    if (!ended.stdout.startsWith("{")) throw new Error(`${name}: no summary; joulebench said:\n${ended.stderr}`);
    const summary = JSON.parse(ended.stdout) as ExperimentSummary;
    const file = (n: number, of: string): string => readFileSync(join(this.dir, out, "cells", summary.order[n]!, of), "utf8");
    const results = (n: number): Results => JSON.parse(file(n, "results.json")) as Results;
    const broken = summary.order.flatMap((id, n) =>
      existsSync(join(this.dir, out, "cells", id, "results.json")) ? [results(n)].map(brokenRules) : [],
    );
    return { ended, summary, file, results, why: [ended.stderr, ...broken].join("\n") };
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const brokenRules = ({ validity, faults, outcomes }: Results): string =>
  JSON.stringify([validity.filter(({ level, pass }) => level === "FAIL" && !pass), faults, outcomes]);

function shortened(plan: Record<string, unknown>, changes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  // Machines of tests have no zones that cool down, nor batteries.
  const { cool_down: _cool, limits: _limits, ...rest } = plan;
  const short: Record<string, unknown> = { ...rest, ...SHORT };
  for (const [key, value] of Object.entries(changes)) {
    const [first = "", second] = key.startsWith("axes:") ? ["axes", key.slice("axes:".length)] : key.split(".");
    if (second === undefined) short[first] = value;
    else short[first] = { ...(short[first] as object), [second]: value };
  }
  return short;
}
