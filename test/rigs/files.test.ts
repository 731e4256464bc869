import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ExperimentPlan, parseExperiment } from "../../src/rig/parse-experiment.ts";
import { parseRig, type Rig } from "../../src/rig/rig.ts";

const RIGS = readdirSync("rigs", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".yaml") && !name.startsWith("plans"))
  .map((name) => join("rigs", name))
  .toSorted();
const PLANS = readdirSync("rigs/plans")
  .filter((name) => name.endsWith(".yaml"))
  .toSorted();

const rigOf = (path: string): Rig => parseRig(readFileSync(path, "utf8"), path);
const planOf = (name: string, rig: string): ExperimentPlan => {
  const path = join("rigs/plans", name);
  return parseExperiment(readFileSync(path, "utf8"), path, rigOf(rig));
};

test("the rigs that README and docs/experiments.md speak of are there", () => {
  expect(RIGS).toEqual([
    "rigs/jetson-orin.yaml",
    "rigs/laptop.yaml",
    "rigs/pi5-ina226.yaml",
    "rigs/pixel-hvpm.yaml",
    ...[1, 2, 3].map((n) => `rigs/three/bench-${n}.yaml`),
    "rigs/virtual.yaml",
  ]);
});

describe.each(RIGS)("%s", (path) => {
  test("is a rig, and says what it is before its first key", () => {
    expect(rigOf(path).name).toMatch(/^[a-z]/);
    const text = readFileSync(path, "utf8");
    expect(text.startsWith("# ")).toBe(true);
    expect(text.match(/^\s*#|\s#/gm)!.length).toBeGreaterThan(1);
  });

  test("names files that exist in its comments", () => {
    const named = [...readFileSync(path, "utf8").matchAll(/rigs\/[\w/-]+\.yaml/g)].map(([name]) => name);
    expect(named.filter((name) => !existsSync(name))).toEqual([]);
  });
});

test("each bench is reached as its comment says", () => {
  const reached = (path: string): unknown[] => {
    const { device, measurand } = rigOf(path);
    return [device?.transport.kind, measurand ?? "no meter"];
  };
  expect(reached("rigs/pixel-hvpm.yaml")).toEqual(["adb", "meter.main"]);
  expect(reached("rigs/jetson-orin.yaml")).toEqual(["ssh", "input.main"]);
  expect(reached("rigs/pi5-ina226.yaml")).toEqual(["ssh", "meter.main"]);
  expect(reached("rigs/laptop.yaml")).toEqual(["local", "no meter"]);
});

test("the three benches of one host share neither name, port nor device", () => {
  const benches = [1, 2, 3].map((n) => rigOf(`rigs/three/bench-${n}.yaml`));
  const distinct = (of: (rig: Rig) => unknown): number => new Set(benches.map(of)).size;
  expect([distinct(({ name }) => name), distinct(({ instruments }) => instruments.meter?.port)]).toEqual([3, 3]);
  expect(distinct(({ device }) => device?.transport.host)).toBe(3);
});

describe.each(PLANS)("rigs/plans/%s", (name) => {
  test.each(["rigs/pixel-hvpm.yaml", "rigs/jetson-orin.yaml", "rigs/pi5-ina226.yaml", "rigs/laptop.yaml"])("unfolds on %s", (rig) => {
    expect(planOf(name, rig).cells.length).toBeGreaterThan(0);
  });

  test("says which question it answers, and by which quantities", () => {
    const text = readFileSync(join("rigs/plans", name), "utf8");
    expect(text).toMatch(/^# /);
    expect(text).toMatch(/^# Answers: /m);
    expect(readFileSync("docs/experiments.md", "utf8")).toContain(`(../rigs/plans/${name})`);
  });
});

test("each plan makes the cells its question needs", () => {
  const cells = Object.fromEntries(PLANS.map((name) => [name.replace(".yaml", ""), planOf(name, "rigs/pi5-ina226.yaml").cells.length]));
  expect(cells).toEqual({
    "context-sweep": 1,
    "forward-pass": 1,
    "image-stages": 1,
    interference: 10,
    "latency-only": 6,
    "many-models": 12,
    "melt-conversations": 3,
    "melt-sustained": 1,
    "prefill-lengths": 15,
    questions: 3,
  });
});
