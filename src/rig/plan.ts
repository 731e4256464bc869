import { z } from "zod";
import { parseYaml, problemError, problemsOf } from "./problems.ts";

/** How a session goes: idle, workload, idle. Times in seconds of host time. */
export const Plan = z.strictObject({
  baseline_s: z.number().min(0).max(86_400).default(10).describe("Idle power is measured this long before the workload"),
  after_s: z.number().min(0).max(86_400).default(5).describe("and this long after it"),
  settle_s: z.number().min(0).max(86_400).default(1).describe("Rest between the end of the workload and the idle after it"),
  timeout_s: z
    .number()
    .positive()
    .max(30 * 86_400)
    .default(3600)
    .describe("The workload is given up after this long"),
  requests: z.int().positive().optional().describe("Requests the workload should answer; fewer valid ones fail the session"),
  requests_may_fail: z
    .boolean()
    .optional()
    .describe("Requests that the engine refuses or dies of are results, and not missing; so in context_sweep and choices"),
  pulses: z.boolean().default(true).describe("Load pulses before and after check power against events, where the device can"),
  detached_s: z
    .number()
    .positive()
    .max(30 * 86_400)
    .optional()
    .describe("For `link: detached`: how long the device is left alone; idle and workload have to fit"),
  link_patience_s: z.number().min(0).max(86_400).default(120).describe("A lost link to the device is waited for this long"),
  ping_every_s: z.number().min(1).max(60).default(10).describe("Clock pings are sent in bursts at this distance"),
});
export type Plan = z.infer<typeof Plan>;

/** @throws JoulebenchError `config` with every problem of the file and its line. */
export function parsePlan(text: string, path: string): Plan {
  const source = parseYaml(text, path);
  const result = Plan.safeParse(source.value ?? {}, { reportInput: true });
  if (!result.success) throw problemError(path, source, problemsOf(result.error));
  return result.data;
}
