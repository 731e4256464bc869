import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Results } from "../../src/model/results.ts";
import { type Sshd, startSshd } from "../sshd/sshd.ts";
import { optionsFor } from "../transports/ssh-bench.ts";
import { LOAD_W, PlanBench } from "./plan-bench.ts";

let bench: PlanBench;
let sshd: Sshd;
beforeAll(async () => {
  bench = new PlanBench();
  sshd = await startSshd({ tree: "pi" });
});
afterAll(async () => {
  bench?.remove();
  await sshd?.stop();
});

const overSsh = (): object => ({ kind: "ssh", ...optionsFor(sshd) });

/** Names of the requests that have such a quantity, in their order. */
const requestsWith = ({ measurements }: Results, name: string): string[] =>
  measurements
    .filter((each) => each.name === name)
    .toSorted((a, b) => a.start_s - b.start_s)
    .map(({ request }) => request);

const names = ({ measurements }: Results): Set<string> => new Set(measurements.map(({ name }) => name));

/** What is drawn is constant, so that an energy over its time is that power. */
function expectLoad({ summary }: Results, energy: string, time: string): void {
  const [joules, seconds] = [summary[energy]!, summary[time]!];
  const tolerance_w = joules.expanded_uncertainty / seconds.value + 0.01;
  expect(Math.abs(joules.value / seconds.value - LOAD_W), `${energy} over ${time}`).toBeLessThan(tolerance_w);
}

/** Processes of this machine that were started with `text` among their arguments. */
const running = (text: string): string[] =>
  readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
    } catch {
      return false; // It ended meanwhile.
    }
  });

describe("each plan, shortened, with the real engine", () => {
  test("melt-conversations: every turn of every chat in its order", async () => {
    const { ended, why, results } = await bench.run("melt-conversations", { metered: true, changes: { "workload.output_tokens": 6 } });
    expect(ended.code, why).toBe(0);
    const turns = [4, 4, 3].flatMap((count, c) => Array.from({ length: count }, (_, t) => `c${c + 1}t${t + 1}`));
    expect(requestsWith(results(0), "request_energy")).toEqual(turns);
    expect(results(0).summary.decode_energy_per_token).toMatchObject({ n: 11, unit: "J/token" });
    expectLoad(results(0), "request_energy", "e2e_latency");
  });

  test("melt-sustained: prompts from the beginning again when they are used up", async () => {
    const { ended, why, results } = await bench.run("melt-sustained", { changes: { "workload.count": 10, "workload.output_tokens": 6 } });
    expect(ended.code, why).toBe(0);
    const once = ["rivers", "bridge", "recipe", "letter", "sky", "code", "clock", "poem"];
    expect(requestsWith(results(0), "decode_rate")).toEqual([...once, "rivers#2", "bridge#2"]);
  });

  test("prefill-lengths: a cell for each length, which is what was read", async () => {
    const axis = { "axes:workload.prompt_tokens": [32, 512], "workload.prompt_tokens": 32, "workload.count": 5 };
    const { ended, why, summary, results } = await bench.run("prefill-lengths", { metered: true, changes: axis });
    expect(ended.code, why).toBe(0);
    expect(summary.groups.map(({ values }) => values)).toEqual([{ "workload.prompt_tokens": 32 }, { "workload.prompt_tokens": 512 }]);
    for (const [n, tokens] of [32, 512].entries()) {
      const prefills = results(n).measurements.filter(({ name }) => name === "prefill_energy_per_prompt_token");
      expect(prefills.map((each) => each.tokens)).toEqual(Array(5).fill(tokens));
      expect(names(results(n))).not.toContain("decode_energy");
    }
    const [short, long] = summary.groups.map(({ quantities }) => quantities.ttft!.value);
    expect(long).toBeGreaterThan(short!);
  });

  test("forward-pass: N passes a run", async () => {
    const { ended, why, results } = await bench.run("forward-pass", {
      metered: true,
      changes: { "engine.count": 4, "workload.count": 5, "workload.argv": [bench.script("passes", "sleep 0.2\n")] },
    });
    expect(ended.code, why).toBe(0);
    const { summary } = results(0);
    expect(summary.energy_per_unit).toMatchObject({ n: 5 });
    expect(summary.time_per_unit!.value).toBeGreaterThan(0.2 / 4);
    expect(summary.unit_energy!.value / summary.energy_per_unit!.value).toBeCloseTo(4, 6);
    expectLoad(results(0), "energy_per_unit", "time_per_unit");
  });

  test("image-stages: what each stage costs, and the image as a whole", async () => {
    const stage = (name: string, seconds: number): string => `say start ${name}; sleep ${seconds}; say end ${name}\n`;
    const say = `say() { t=$(date +%s.%N); echo "{\\"type\\":\\"unit_$1\\",\\"unit\\":\\"image\\",\\"phase\\":\\"$2\\",\\"time_s\\":$t,\\"realtime_s\\":$t}"; }\n`;
    const image = bench.script("image", `${say}${stage("head", 0.2)}${stage("transmit", 0.1)}${stage("tail", 0.05)}`);
    const changes = { "workload.argv": [image], "workload.count": 5, warm_up: 1 };
    const { ended, why, results } = await bench.run("image-stages", { metered: true, changes });
    expect(ended.code, why).toBe(0);
    const { summary, measurements, validity } = results(0);
    expect(requestsWith(results(0), "energy_per_unit")).toEqual([1, 2, 3, 4, 5].map((n) => `image-${n}`));
    expect(requestsWith(results(0), "energy_per_unit:head")).toEqual([1, 2, 3, 4, 5].map((n) => `image-${n}`));
    for (const [name, seconds] of Object.entries({ head: 0.2, transmit: 0.1, tail: 0.05 })) {
      expect(summary[`energy_per_unit:${name}`]).toMatchObject({ n: 5, unit: "J" });
      expect(summary[`time_per_unit:${name}`]!.value).toBeGreaterThanOrEqual(seconds);
      expectLoad(results(0), `energy_per_unit:${name}`, `time_per_unit:${name}`);
    }
    const of = (name: string): number => measurements.find((each) => each.name === name && each.request === "image-3")!.value!;
    const parts = ["head", "transmit", "tail"].map((each) => of(`unit_energy:${each}`));
    expect(parts.reduce((sum, each) => sum + each)).toBeLessThan(of("unit_energy"));
    expect(validity.find(({ rule }) => rule === "requests")?.detail).toBe("5 units measured, no requests");
    expect(results(0).faults).toEqual([]);
  });

  test("context-sweep: a prompt that does not fit is a result, and the next length is tried", async () => {
    const changes = { "workload.prompt_tokens": [16, 32, 64, 4096, 128, 256], "workload.output_tokens": 4 };
    const { ended, why, results } = await bench.run("context-sweep", { changes });
    expect(ended.code, why).toBe(0);
    expect(results(0).outcomes).toEqual([{ request: "4096in-4", outcome: "refused" }]);
    expect(requestsWith(results(0), "ttft")).toEqual(["16in-1", "32in-2", "64in-3", "128in-5", "256in-6"]);
    expect(results(0).summary.ttft).toMatchObject({ n: 5 });
  });

  test("latency-only: times with their uncertainty, and no energies at all", async () => {
    const changes = { "axes:workload.prompt_tokens": [16], "workload.output_tokens": 6, "workload.count": 5 };
    const { ended, why, summary, results } = await bench.run("latency-only", { changes });
    expect(ended.code, why).toBe(0);
    const { measurand, baseline, measurements, validity } = results(0);
    expect([measurand, baseline.power_w]).toEqual([null, null]);
    expect(names(results(0))).toEqual(new Set(["ttft", "prefill_rate", "tpot", "decode_rate", "e2e_latency"]));
    for (const { value, uncertainty, coverage } of measurements) {
      expect(value).toBeGreaterThan(0);
      expect(uncertainty).toBeGreaterThan(0);
      expect(coverage).toBe(1);
    }
    expect(Object.keys(summary.groups[0]!.quantities).sort()).toEqual(["decode_rate", "e2e_latency", "prefill_rate", "tpot", "ttft"]);
    const rules = validity.map(({ rule }) => rule);
    expect(rules).toEqual(expect.arrayContaining(["requests", "clocks", "events", "tape"]));
    for (const rule of ["measured", "baseline", "calibration", "alignment", "samples"]) expect(rules).not.toContain(rule);
    expect(validity.filter(({ level, pass }) => level === "FAIL" && !pass)).toEqual([]);
  });

  test("questions, over ssh: the energy of all answers for each correct one", async () => {
    const { ended, why, results, file } = await bench.run("questions", {
      metered: true,
      transport: overSsh(),
      changes: { "workload.output_tokens": 24 },
    });
    expect(ended.code, why).toBe(0);
    const { summary, measurements } = results(0);
    expect(requestsWith(results(0), "unit_energy")).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => `q${n}`));
    const scores = file(0, "events.jsonl")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; correct?: number })
      .flatMap(({ type, correct }) => (type === "unit_end" && correct !== undefined ? [correct] : []));
    expect(scores).toHaveLength(8);
    const correct = scores.reduce((sum, each) => sum + each);
    const all_j = measurements.filter(({ name }) => name === "unit_energy").reduce((sum, { value }) => sum + value!, 0);
    if (correct === 0) expect(summary.energy_per_correct_answer).toBeUndefined();
    else expect(summary.energy_per_correct_answer!.value).toBeCloseTo(all_j / correct, 9);
  });

  test("interference, over ssh: the second load runs beside the work, and is gone after it", async () => {
    const seen = join(bench.dir, "beside");
    const load = bench.script("second-load", `echo begun >>"${seen}"\nwhile :; do :; done\n`);
    const changes = { "workload.prompt_tokens": 16, "workload.output_tokens": 6, "workload.count": 5 };
    const axis = { "axes:interference": [{ argv: ["sleep", "86399"] }, { argv: [load] }] };
    const { ended, why, summary, results, file } = await bench.run("interference", {
      transport: overSsh(),
      changes: { ...changes, ...axis },
    });
    expect(ended.code, why).toBe(0);
    expect(summary.groups.map(({ values }) => values)).toEqual([
      { interference: { argv: ["sleep", "86399"] } },
      { interference: { argv: [load] } },
    ]);
    expect(readFileSync(seen, "utf8")).toBe("begun\n");
    expect(running(load)).toEqual([]);
    expect(running("86399")).toEqual([]);
    expect(JSON.parse(file(1, "session.json"))).toMatchObject({ plan: { interference: { argv: [load] } } });
    for (const n of [0, 1]) expect(results(n).summary.decode_rate).toMatchObject({ n: 5 });
  });

  test("interference that ends by itself fails its cell, and says why", async () => {
    const changes = { "workload.prompt_tokens": 16, "workload.output_tokens": 6, "workload.count": 5 };
    const axis = { "axes:interference": [{ argv: [bench.script("short", "echo worn out >&2; exit 3\n")] }] };
    const { ended, summary } = await bench.run("interference", { changes: { ...changes, ...axis } });
    expect(ended.code).toBe(2);
    expect(summary.unmeasured).toMatchObject([
      { state: "failed", reason: expect.stringMatching(/^interference: ended with exit code 3 \(worn out\) before the work was done/) },
    ]);
  });

  test("many-models: one that is missing and one that is broken fail, and the others are measured", async () => {
    const broken = join(bench.dir, "broken.gguf");
    writeFileSync(broken, "no model\n");
    const models = [join(bench.dir, "missing.gguf"), broken, bench.model];
    const { ended, summary } = await bench.run("many-models", {
      changes: { "axes:engine.model": models, "workload.output_tokens": 6 },
    });
    expect(summary.order.map((each) => each.slice(5))).toEqual(["model-missing.gguf", "model-broken.gguf", "model-random.gguf"]);
    expect(summary.unmeasured.map(({ state, reason }) => [state, reason])).toEqual([
      ["failed", expect.stringMatching(/missing\.gguf|could not load/)],
      ["failed", expect.stringMatching(/broken\.gguf|could not load/)],
    ]);
    expect(summary.groups.find(({ cells }) => cells.length > 0)).toMatchObject({ quantities: { decode_rate: { n: 1 } } });
    expect(ended.code).toBe(2);
  });
});
