import { z } from "zod";
import { Check, CoolDown, Interference, Limits, Setting } from "./conditions.ts";
import { Plan } from "./plan.ts";
import { Workload } from "./workload.ts";

/** What a plan says about each of its cells: a session, what is done in it, and what must hold before it. */
export const CellPlan = Plan.extend({
  engine: z.record(z.string(), z.unknown()).optional().describe("Kind and options of the engine, over device.engine of the rig"),
  workload: Workload.default({ kind: "device" }),
  warm_up: z.int().min(0).max(1000).default(0).describe("Requests before the measured ones; they are kept and not counted"),
  pause_s: z.number().min(0).max(86_400).default(0).describe("Rest between requests"),
  cool_down: CoolDown.optional(),
  preflight: z.array(Check).default([]),
  limits: Limits.prefault({}),
  settings: z.array(Setting).default([]),
  interference: Interference.optional(),
});
export type CellPlan = z.infer<typeof CellPlan>;

/** How cells are made of a plan, and in which order. */
export const Schedule = z.strictObject({
  axes: z.record(z.string(), z.array(z.unknown()).min(1)).default({}).describe("Every combination of these values is a cell"),
  repetitions: z.int().positive().max(1000).default(1),
  order: z.enum(["random", "given"]).default("random"),
  seed: z.int().min(0).max(0xffffffff).default(1).describe("of the random order: the same seed gives the same order anywhere"),
  blocks: z.boolean().default(false).describe("Each repetition is measured as a whole, in an order of its own, before the next"),
});
export type Schedule = z.infer<typeof Schedule>;

/** The schema of a plan file, for its documentation; cells are checked one by one, with the values of their axes. */
export const Experiment = CellPlan.extend(Schedule.shape);

const SESSION_KEYS = new Set(Object.keys(Plan.shape));

/** Whether a plan asks for more than one plain session. */
export const isExperiment = (plan: unknown): boolean =>
  typeof plan === "object" && plan !== null && Object.keys(plan).some((key) => !SESSION_KEYS.has(key));

/** Parts of a cell's plan by what they are: the session's, and the rest. */
export function sessionPlan(plan: CellPlan): Plan {
  return Plan.parse(Object.fromEntries(Object.entries(plan).filter(([key]) => SESSION_KEYS.has(key))));
}
