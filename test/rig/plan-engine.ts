import { z } from "zod";
import { defineEngine, type EngineKind } from "../../src/model/engine.ts";
import { JoulebenchError } from "../../src/model/errors.ts";
import { type ExperimentPlan, parseExperiment } from "../../src/rig/parse-experiment.ts";
import { parseRig, type Rig } from "../../src/rig/rig.ts";

/** An engine to make plans for; none of these tests starts one. */
export const engines: readonly EngineKind[] = [
  defineEngine({
    kind: "paper",
    summary: "stands in plans",
    options: z.strictObject({
      model: z.string().min(1),
      threads: z.int().positive().default(4),
      context: z.int().positive().optional(),
    }),
    parser: "jsonl",
    refuses: () => undefined,
    open: () => Promise.reject(new JoulebenchError("config", "paper", "is never opened")),
  }),
  defineEngine({
    kind: "command",
    summary: "a program, in plans",
    options: z.strictObject({ argv: z.array(z.string()).min(1), unit: z.string().min(1), count: z.int().positive().default(1) }),
    parser: "jsonl",
    refuses: () => undefined,
    open: () => Promise.reject(new JoulebenchError("config", "command", "is never opened")),
  }),
];

/** A bench with a device that can be asked. @param device further keys of it */
export const rigWith = (device = "engine: { kind: paper, model: a.gguf }"): Rig =>
  parseRig(
    `name: bench
instruments: { meter: { kind: bridge-ina219, emulated: bridge-ina219, shunt_ohm: 0.1 } }
measurand: meter.main
device: { ${device} }
`,
    "rig.yaml",
  );

export const experiment = (text: string, rig = rigWith(), path = "plan.yaml"): ExperimentPlan => parseExperiment(text, path, rig, engines);

/** The lines of the one error that `act` throws. */
export function problemsIn(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof JoulebenchError && error.kind === "config") return error.message.split("\n");
    throw error;
  }
  return [];
}
