import { dirname, isAbsolute, join } from "node:path";
import type { EngineKind } from "../model/engine.ts";
import { type Combination, withValues } from "./axes.ts";
import { isRequired } from "./conditions.ts";
import { CellPlan, sessionPlan } from "./experiment.ts";
import { type Items, itemsOf, readWorkloadFile, type WorkloadFile } from "./items.ts";
import type { Plan } from "./plan.ts";
import { type Problem, problemsOf } from "./problems.ts";
import { failuresAreResults, plannedRequests, requestsOf } from "./requests.ts";
import type { Rig } from "./rig.ts";

/** An engine as a cell drives it. */
export interface CellEngine {
  readonly kind: string;
  /** As its schema gives them, defaults and all. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The event parser that reads it. */
  readonly parser: string;
}

/** A combination made whole and checked: everything a cell needs, before it has its place. */
export interface Resolved {
  readonly combination: Combination;
  readonly plan: CellPlan;
  /** The session's part of the plan, with the requests its workload will make. */
  readonly session: Plan;
  readonly engine?: CellEngine;
  readonly items: Items;
  /** Of the workload's file, where it has one. */
  readonly sha256?: string;
}

/** What a plan is resolved against. */
export interface Surroundings {
  /** Of the plan: its files are relative to it. */
  readonly path: string;
  readonly rig: Rig;
  readonly engines: readonly EngineKind[];
  /** Files read so far, by the name the plan gives them. */
  readonly files: Map<string, WorkloadFile>;
}

type Outcome = { readonly resolved: Resolved } | { readonly problems: readonly Problem[] };

/** A cell's plan and engine, or everything that makes it impossible. Opens nothing but the workload's file. */
export function resolve(content: Readonly<Record<string, unknown>>, combination: Combination, around: Surroundings): Outcome {
  const parsed = CellPlan.safeParse(withValues(content, combination), { reportInput: true });
  if (!parsed.success) return { problems: problemsOf(parsed.error) };
  const plan = parsed.data;
  const { engine, problems } = engineOf(plan, around);
  const { items, sha256, problem } = loaded(plan, around);
  const refused = engine && refusal(plan, items, { engine, engines: around.engines });
  const all = [...problems, ...(problem ? [problem] : []), ...impossible(plan, engine, around), ...(refused ? [refused] : [])];
  if (all.length > 0) return { problems: all };
  const requests = plan.requests ?? plannedRequests(plan.workload, items);
  const mayFail = plan.requests_may_fail ?? failuresAreResults(plan.workload);
  const session = {
    ...sessionPlan(plan),
    ...(requests === undefined ? {} : { requests }),
    ...(mayFail ? { requests_may_fail: true } : {}),
  };
  return { resolved: { combination, plan, session, ...(engine ? { engine } : {}), items, ...(sha256 === undefined ? {} : { sha256 }) } };
}

/** The plan's engine over the rig's: options of another kind than the plan's mean nothing to it. */
function engineOf(plan: CellPlan, { rig, engines }: Surroundings): { engine?: CellEngine; problems: Problem[] } {
  const path = ["engine"];
  if (plan.workload.kind === "device") {
    const message = "the workload is the device's own, which takes no engine; name another workload.kind";
    return { problems: plan.engine ? [{ path, message }] : [] };
  }
  const defaults = rig.device?.engine ?? {};
  const kindName = plan.engine?.kind ?? (plan.workload.kind === "command" ? "command" : defaults.kind);
  const kind = engines.find((each) => each.kind === kindName);
  const known = `there are: ${engines.map((each) => each.kind).join(", ") || "none"}`;
  if (kindName === undefined)
    return { problems: [{ path, message: `missing; a ${plan.workload.kind} workload needs an engine \`kind\`; ${known}` }] };
  if (!kind) return { problems: [{ path: ["engine", "kind"], message: `no engine is called ${String(kindName)}; ${known}` }] };
  if (plan.workload.kind === "command" && kindName !== "command")
    return { problems: [{ path: ["workload", "kind"], message: `runs its argv on the engine command, and the engine is ${kindName}` }] };
  const { kind: _kind, ...given } = plan.engine ?? {};
  // The engine runs what the workload says, and states the units of it.
  const own = plan.workload.kind === "command" ? { ...given, argv: plan.workload.argv, unit: plan.workload.unit } : given;
  const { kind: _default, ...inherited } = (defaults.kind ?? kindName) === kindName ? defaults : {};
  const checked = kind.options.safeParse({ ...inherited, ...own }, { reportInput: true });
  if (checked.success) return { engine: { kind: kind.kind, options: checked.data, parser: kind.parser }, problems: [] };
  const problems = problemsOf(checked.error).map(({ path: keys, message }) => {
    const isInherited = keys.length > 0 && String(keys[0]) in inherited && !(String(keys[0]) in own);
    return { path: ["engine", ...keys], message: isInherited ? `${message} (it comes from device.engine of the rig)` : message };
  });
  return { problems };
}

function loaded({ workload }: CellPlan, { path, files }: Surroundings): { items: Items; sha256?: string; problem?: Problem } {
  const name = "file" in workload ? workload.file : undefined;
  if (name === undefined) return { items: itemsOf(workload, undefined) };
  const where = isAbsolute(name) ? name : join(dirname(path), name);
  try {
    const file = files.get(name) ?? readWorkloadFile(where);
    files.set(name, file);
    return { items: itemsOf(workload, file.text), sha256: file.sha256 };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    return { items: {}, problem: { path: ["workload", "file"], message: `${where}: ${cause.message}` } };
  }
}

/** Requests of a cell that are looked at: what an engine cannot do shows in the first of each kind. */
const MOST_LOOKED_AT = 1000;

/** The first request that the engine could never answer. */
function refusal({ workload, limits }: CellPlan, items: Items, { engine, engines }: Driven): Problem | undefined {
  const kind = engines.find((each) => each.kind === engine.kind);
  const requests = requestsOf(workload, items, limits.request_s);
  const answer = { outcome: "ok", text: "" } as const;
  for (let n = 0, next = requests.next(answer); kind && !next.done && n < MOST_LOOKED_AT; n++, next = requests.next(answer)) {
    const message = kind.refuses(next.value.request, engine.options);
    if (message !== undefined) return { path: ["workload"], message };
  }
  return undefined;
}

interface Driven {
  readonly engine: CellEngine;
  readonly engines: readonly EngineKind[];
}

/** What cannot be done, whatever runs. */
function impossible(plan: CellPlan, engine: CellEngine | undefined, { rig }: Surroundings): Problem[] {
  const problems: Problem[] = [];
  const { workload, cool_down, preflight, settings, limits } = plan;
  const { device } = rig;
  const isOwn = workload.kind === "device";
  if (isOwn && device && device.command === undefined && device.emulated === undefined)
    problems.push({ path: ["workload"], message: "missing; the rig's device has neither a `command` nor is it emulated, only an engine" });
  if (!isOwn && (!device || device.emulated))
    problems.push({ path: ["workload", "kind"], message: "needs a device to run an engine on; this rig has none, or an emulated one" });
  if (!device || device.emulated) {
    const asking: readonly (readonly [string, boolean])[] = [
      ["interference", plan.interference !== undefined],
      ["cool_down", cool_down !== undefined],
      ["preflight", preflight.some(isRequired)],
      ["settings", settings.length > 0],
      ["limits", limits.temperature_degc !== undefined],
    ];
    for (const [key] of asking.filter(([, isAsked]) => isAsked))
      problems.push({ path: [key], message: "needs a device that can be asked; this rig has none, or an emulated one" });
  }
  if (isOwn && plan.warm_up > 0)
    problems.push({ path: ["warm_up"], message: "a device's own workload warms up by itself, with requests called warmup-…" });
  if (plan.interference && device?.link === "detached")
    problems.push({ path: ["interference"], message: "needs a link while it is measured, and the rig's `link` is detached" });
  if (limits.temperature_degc !== undefined && device?.link === "detached")
    problems.push({ path: ["limits", "temperature_degc"], message: "needs a link while it is measured, and the rig's `link` is detached" });
  if (limits.power_w !== undefined && rig.measurand === undefined)
    problems.push({ path: ["limits", "power_w"], message: "needs a meter; this rig has none" });
  const context = engine?.options.context;
  if (workload.kind === "fixed" && typeof context === "number" && workload.prompt_tokens + workload.output_tokens > context)
    problems.push({
      path: ["workload", "prompt_tokens"],
      message: `${workload.prompt_tokens} prompt and ${workload.output_tokens} output tokens do not fit into a context of ${context}`,
    });
  return problems;
}

/** The rig as the session of one cell needs it. */
export function rigOf(rig: Rig, { session, engine }: Pick<Resolved, "session" | "engine">): Rig {
  if (!engine || !rig.device) return { ...rig, plan: session };
  const device = { ...rig.device, engine: { kind: engine.kind, ...engine.options }, events: engine.parser };
  return { ...rig, plan: session, device };
}
