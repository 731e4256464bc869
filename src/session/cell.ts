import { JoulebenchError } from "../model/errors.ts";
import type { Cell } from "../rig/cells.ts";
import { zoneOf } from "../rig/gate.ts";
import { conditionsOf, recorded, unmetChecks } from "../rig/preflight.ts";
import { rigOf } from "../rig/resolve.ts";
import type { Rig } from "../rig/rig.ts";
import { type Temperatures, temperatureAt } from "../rig/temperature.ts";
import { coolDown } from "./cool-down.ts";
import { canBeAsked, commandsOf, type DeviceCommands, onDevice } from "./device-commands.ts";
import { LimitWatch } from "./limits.ts";
import { pass } from "./pass.ts";
import { type RunOutcome, type RunWatcher, run } from "./run.ts";
import { Settings } from "./settings.ts";

/** What became of a cell. */
export interface CellOutcome {
  /** `invalid`: measured and not valid, or not measured because a condition did not hold; `reason` says which. */
  readonly state: "done" | "invalid" | "failed" | "interrupted";
  readonly reason?: string;
  /** Of the error that ended it, where one did. */
  readonly error?: JoulebenchError;
  /** The plan's checks as found. */
  readonly conditions?: Readonly<Record<string, string>>;
  /** What went wrong beside the measurement: settings not restored, a sink that refused. */
  readonly notes?: readonly string[];
  readonly sinkRefused?: boolean;
}

/** What a cell is measured within. */
export interface CellContext {
  readonly signal: AbortSignal;
  readonly watcher?: RunWatcher & { readonly waiting?: (detail: string) => void };
  /** By zone, before the first cell. */
  readonly start: Temperatures;
}

/** What a cell was found to need before it could be measured. */
interface Ready {
  readonly refusal?: Pick<CellOutcome, "state" | "reason">;
  readonly conditions: Readonly<Record<string, string>>;
}

/**
 * Measures one cell into `dir`: settings, checks, cool-down, session; and leaves the device as it was, whatever
 * happened. What goes wrong is its outcome, not an error.
 */
export async function runCell(rig: Rig, cell: Cell, dir: string, context: CellContext): Promise<CellOutcome> {
  const settings = new Settings();
  let unrestored: readonly string[] = [];
  let outcome: CellOutcome;
  try {
    outcome = await attempt(rig, cell, { dir, settings, ...context });
  } finally {
    unrestored = await settings.restore(rig);
  }
  const notes = [...(outcome.notes ?? []), ...unrestored];
  for (const note of notes) context.watcher?.notice?.(note);
  return notes.length > 0 ? { ...outcome, notes } : outcome;
}

type Attempt = CellContext & { readonly dir: string; readonly settings: Settings };

async function attempt(rig: Rig, cell: Cell, context: Attempt): Promise<CellOutcome> {
  try {
    const { refusal, conditions } = await makeReady(rig, cell, context);
    const found = Object.keys(conditions).length > 0 ? { conditions } : {};
    if (refusal) return { ...refusal, ...found };
    return { ...(await measure(rig, cell, conditions, context)), ...found };
  } catch (error) {
    if (!(error instanceof JoulebenchError)) throw error;
    return context.signal.aborted ? { state: "interrupted" } : { state: "failed", reason: error.message, error };
  }
}

/** Everything before the session, in the order in which it has effect: settings are in force when checks are read. */
async function makeReady(rig: Rig, { plan }: Cell, context: Attempt): Promise<Ready> {
  const { settings, preflight, cool_down } = plan;
  if (!canBeAsked(rig)) return { conditions: recorded(preflight, conditionsOf("")) };
  if (settings.length === 0 && preflight.length === 0 && !cool_down) return { conditions: {} };
  return onDevice(rig, async (device) => {
    await context.settings.apply(settings, device);
    if (context.signal.aborted) return { refusal: { state: "interrupted" }, conditions: {} };
    const found = preflight.length > 0 ? await device.conditions() : undefined;
    const conditions = found ? recorded(preflight, found) : {};
    const unmet = found ? unmetChecks(preflight, found) : [];
    if (unmet.length > 0) return { refusal: { state: "invalid", reason: `not measured: ${unmet.join("; ")}` }, conditions };
    const refusal = cool_down && (await gate(cool_down, device, context));
    return refusal ? { refusal, conditions } : { conditions };
  });
}

async function gate(
  rule: NonNullable<Cell["plan"]["cool_down"]>,
  { temperatures }: DeviceCommands,
  { signal, start, watcher }: Attempt,
): Promise<Ready["refusal"]> {
  const now_s = (): number => performance.now() / 1000;
  const says = (detail: string): void => watcher?.waiting?.(detail);
  const verdict = await coolDown(rule, temperatureAt(start, zoneOf(rule)), { temperatures, now_s, wait: pass, signal, says });
  if (signal.aborted) return { state: "interrupted" };
  if (verdict.state === "open") return undefined;
  return { state: "invalid", reason: `not measured: did not cool down within ${rule.timeout_s} s; ${verdict.detail}` };
}

async function measure(rig: Rig, cell: Cell, conditions: Ready["conditions"], { dir, signal, watcher }: Attempt): Promise<CellOutcome> {
  const watch = new LimitWatch(cell.plan.limits, signal);
  let watched: Promise<void> | undefined;
  const power: RunWatcher["power"] = (mean) => {
    watch.power(mean.mean_w);
    watcher?.power?.(mean);
  };
  try {
    const facts: Record<string, Readonly<Record<string, string>>> = Object.keys(conditions).length > 0 ? { preflight: conditions } : {};
    const record = { plan: recordOf(cell), facts };
    const outcome = await run(rigOf(rig, cell), dir, {
      signal: watch.signal,
      watcher: { ...watcher, power },
      met: (device) => {
        const { temperatures } = commandsOf(device.transport, rig.device!.transport.kind);
        watched = watch.temperature({ temperatures, whole: () => device.whole() });
      },
      over: () => watch.end(),
      record,
      ...(cell.engine ? { work: cell } : {}),
      ...(cell.plan.interference ? { interference: cell.plan.interference } : {}),
    });
    return outcomeOf(outcome, watch.passed, signal);
  } finally {
    watch.end();
    await watched;
  }
}

/** The cell's plan as its session keeps it. */
function recordOf({ plan, session, engine, sha256 }: Cell): unknown {
  const drives = engine ? { engine: { kind: engine.kind, ...engine.options } } : {};
  return { ...plan, ...session, ...drives, ...(sha256 === undefined ? {} : { workload_sha256: sha256 }) };
}

function outcomeOf({ failure, results, sinks: told }: RunOutcome, passed: string | undefined, { aborted }: AbortSignal): CellOutcome {
  const notes = [...told.refused, ...told.waiting];
  const sinks = { ...(notes.length > 0 ? { notes } : {}), ...(told.refused.length > 0 ? { sinkRefused: true } : {}) };
  if (aborted) return { state: "interrupted", ...sinks };
  if (passed !== undefined) return { state: "invalid", reason: `ended early: ${passed}`, ...sinks };
  if (failure) return { state: "failed", reason: failure.message, error: failure, ...sinks };
  const failed = results.validity.filter((each) => !each.pass && each.level === "FAIL");
  const why = failed.map(({ rule, detail }) => `${rule} (${detail})`).join("; ");
  return failed.length > 0 ? { state: "invalid", reason: `not valid: ${why}`, ...sinks } : { state: "done", ...sinks };
}
