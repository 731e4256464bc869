import { timer } from "rxjs";
import type { Interference } from "../rig/conditions.ts";
import type { Rig } from "../rig/rig.ts";
import type { Bench } from "./bench.ts";
import { detached } from "./detached.ts";
import type { DeviceLink } from "./device-link.ts";
import { openWorkload, type Work } from "./engine-work.ts";
import { loadPulses, runPulses } from "./load-pulses.ts";
import { SecondLoad } from "./second-load.ts";
import { UsbPower } from "./usb-power.ts";
import { aborted, drivenEnd, howEnded, pause, unlessFailed, WorkloadFailure, workloadEnd } from "./waiting.ts";
import type { Workload } from "./workload.ts";

/** Pings before and after a session, and in each burst between: over 5 ± 2 ms each way 64 left the rate 6 ppm open. */
const OUTER_PINGS = 256;
/** Over a slow link those outer ones are as many as come in this time. */
const OUTER_MS = 5000;
const BURST_PINGS = 16;

/** A workload has this long until it answers its first ping: it may have libraries to load. */
const GREETING_MS = 5000;

/** Rest after load pulses: their power is looked for up to this late, and more than a pulse's power takes to die away. */
const AFTER_PULSES_S = 1;

export type Stage = "opening" | "loading" | "aligning" | "idle" | "workload" | "settling" | "closing" | "analysing";

/** Who ends the course before its time, and who is told where it stands. */
export interface Course {
  readonly signal: AbortSignal;
  /** @param lasts_s how long the stage will take, where that is known */
  readonly stage: (stage: Stage, lasts_s: number | undefined) => void;
  readonly notice: (message: string) => void;
  /** An engine is driven, instead of the device's own workload. */
  readonly work?: Work;
  /** Runs on the device while the work does. */
  readonly interference?: Interference;
  /** Given the device once it is reached. */
  readonly met?: (device: DeviceLink) => void;
}

/**
 * Takes an open bench through its session: idle, workload, idle. An aborted one returns early and in order.
 *
 * @throws JoulebenchError of whatever ended the session before its time
 */
export async function conduct(bench: Bench, rig: Rig, course: Course): Promise<void> {
  course.stage("opening", undefined);
  await Promise.race([bench.open(), aborted(course.signal)]);
  if (course.signal.aborted) return bench.mark("interrupted");
  const device = rig.device ? await meet(bench, course) : undefined;
  const every_ms = rig.plan.ping_every_s * 1000;
  const bursts = device && timer(every_ms, every_ms).subscribe(() => void device.ping(BURST_PINGS));
  const betweenRequests =
    device &&
    bench.streams.events$.subscribe(({ event }) => {
      if (event.type === "request_end") void device.ping(BURST_PINGS);
    });
  const power = rig.device?.usb_power && new UsbPower(rig.device.usb_power);
  let failure: unknown;
  const failed = (error: unknown): void => {
    failure ??= error;
  };
  try {
    if (device && rig.device?.link === "detached") await detached(bench, rig, { ...course, device, power });
    else {
      await power?.cut();
      await phases(bench, rig, { ...course, device });
    }
  } catch (error) {
    failed(error);
  }
  bursts?.unsubscribe();
  betweenRequests?.unsubscribe();
  await power?.restore().catch(failed);
  if (!course.signal.aborted) await device?.whole();
  await device?.tie();
  await device?.ping(OUTER_PINGS, OUTER_MS);
  if (failure !== undefined) throw failure;
}

/** Starts the workload's process, and gets to know its clock once it listens, which after a long start takes a while. */
async function meet(bench: Bench, { signal, notice, work, met }: Course): Promise<DeviceLink> {
  const device = await bench.openDevice(work ? "engine" : "workload");
  met?.(device);
  const { process } = device;
  process?.exit.then(async (code) => {
    if (!process.isStarted && !signal.aborted)
      bench.fail(new WorkloadFailure(`${howEnded(code)} before it was told to start${await process.lastWords()}`));
  }, bench.fail.bind(bench));
  const isHeard = await Promise.race([device.greet(GREETING_MS), aborted(signal).then(() => true)]);
  if (signal.aborted) return device;
  if (isHeard) await device.ping(OUTER_PINGS, OUTER_MS);
  else if (!process?.isGone)
    notice('device: answers no ping, so its events cannot be placed in time; it must answer "ping <id>" lines (docs/device-protocol.md)');
  return device;
}

/** A course whose device, if there is one, is known. */
type Met = Course & { readonly device: DeviceLink | undefined };

async function phases(bench: Bench, rig: Rig, course: Met): Promise<void> {
  const { plan } = rig;
  const { signal, stage, device, work } = course;
  // Pulses are looked for in power.
  const canPulse = plan.pulses && rig.measurand !== undefined && (await pulses(bench, rig, course));
  const driven = work && device && (await loaded(bench, rig, { ...course, device, work }));
  try {
    await idle(bench, plan.baseline_s, course);
    if (signal.aborted) return bench.mark("interrupted");
    await besideLoad(bench, course, () => workload(bench, rig, course, driven));
    bench.mark(signal.aborted ? "interrupted" : "workload_end");
    if (signal.aborted) return;
    stage("settling", plan.settle_s);
    await pause(bench, plan.settle_s, signal);
    await idle(bench, plan.after_s, course);
  } finally {
    // What a lost link has left running can only be ended once it is back.
    if (driven && !signal.aborted) await device.whole();
    await driven?.close();
  }
  if (canPulse) await pulses(bench, rig, course);
}

/** The engine with its model resident: what it draws then when idle is the baseline. */
async function loaded(
  bench: Bench,
  rig: Rig,
  { device, work, signal, stage, notice }: Met & Required<Pick<Met, "device" | "work">>,
): Promise<Workload> {
  stage("loading", undefined);
  const driven = await openWorkload(bench, rig, work, { device: device!, signal });
  try {
    await unlessFailed(bench, driven.prepare());
    return driven;
  } catch (error) {
    driven.giveUp();
    // What a lost link has left running can only be ended once it is back.
    if (!signal.aborted) await device!.whole();
    // The error at hand came first, but what still runs there has to be known.
    await driven.close().catch((left: unknown) => notice(left instanceof Error ? left.message : String(left)));
    throw error;
  }
}

/** Work with the plan's second load beside it, if there is one: running before it begins, gone when the idle after it does. */
async function besideLoad(bench: Bench, { device, interference, signal }: Met, work: () => Promise<void>): Promise<void> {
  const load = interference && device && (await SecondLoad.start(bench, device, interference));
  try {
    await work();
  } finally {
    // What a lost link has left running can only be ended once it is back.
    if (load && !signal.aborted) await device.whole();
    await load?.end();
  }
}

/** Everything between the two idles: what is driven from here, what the device does by itself, or whatever happens. */
async function workload(bench: Bench, { plan }: Rig, { signal, stage, device }: Met, driven: Workload | undefined): Promise<void> {
  const process = device?.process;
  const limit = { seconds: plan.timeout_s, key: "plan.timeout_s" };
  stage("workload", process || driven ? undefined : plan.timeout_s);
  bench.mark("workload_start");
  if (driven) await drivenEnd(bench, driven, limit, signal);
  else if (process) {
    const ended = workloadEnd(bench, process, limit);
    ended.catch(() => undefined); // Heard below, unless the workload is gone before it could be told to start.
    await process.start().catch(async (error: unknown) => {
      if (!process.isGone) throw error;
      throw new WorkloadFailure(`${howEnded(await process.exit)} before it was told to start${await process.lastWords()}`);
    });
    await Promise.race([ended, aborted(signal)]);
  } else await pause(bench, plan.timeout_s, signal);
}

/**
 * A train of load pulses, by the workload where it can, else by a program of ours; then rest, so that the train is seen to
 * its end. @returns whether the device can
 */
async function pulses(bench: Bench, rig: Rig, { device, signal, stage }: Met): Promise<boolean> {
  const process = device?.process;
  if (!device?.hasAnswered || process?.isGone || signal.aborted) return false;
  stage("aligning", undefined);
  const train = async (): Promise<boolean> =>
    (process && (await loadPulses(bench, process))) || (seesDevice(rig) && (await runPulses(bench, device)));
  const isDone = await Promise.race([train(), aborted(signal).then(() => false)]);
  if (isDone) await pause(bench, AFTER_PULSES_S, signal);
  return isDone;
}

/** An emulated supply sees nothing of what a real device draws. */
const seesDevice = ({ instruments, measurand }: Rig): boolean =>
  measurand !== undefined && instruments[measurand.split(".")[0]!]?.emulated === undefined;

async function idle(bench: Bench, duration_s: number, { signal, stage }: Course): Promise<void> {
  if (duration_s <= 0 || signal.aborted) return;
  stage("idle", duration_s);
  bench.mark("idle_start");
  await pause(bench, duration_s, signal);
  bench.mark("idle_end");
}
