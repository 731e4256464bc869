import { firstValueFrom, fromEvent, merge, timer } from "rxjs";
import { JoulebenchError } from "../model/errors.ts";
import type { Rig } from "../rig/rig.ts";
import type { Bench } from "./bench.ts";
import type { DeviceLink } from "./device-link.ts";
import { loadPulses } from "./load-pulses.ts";

/** Pings before and after a session, and in each burst between. */
const OUTER_PINGS = 64;
const BURST_PINGS = 16;

/** A workload has this long until it answers its first ping: it may have libraries to load. */
const GREETING_MS = 5000;

/** Rest after load pulses: their power is looked for up to this late, and more than a pulse's power takes to die away. */
const AFTER_PULSES_S = 1;

export type Stage = "opening" | "aligning" | "idle" | "workload" | "settling" | "closing" | "analysing";

/** Who ends the course before its time, and who is told where it stands. */
export interface Course {
  readonly signal: AbortSignal;
  /** @param lasts_s how long the stage will take, where that is known */
  readonly stage: (stage: Stage, lasts_s: number | undefined) => void;
  readonly notice: (message: string) => void;
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
  try {
    await phases(bench, rig, { ...course, device });
  } finally {
    bursts?.unsubscribe();
    betweenRequests?.unsubscribe();
    await device?.ping(OUTER_PINGS);
  }
}

/** Starts the workload's process, and gets to know its clock once it listens, which after a long start takes a while. */
async function meet(bench: Bench, { signal, notice }: Course): Promise<DeviceLink> {
  const device = await bench.openDevice();
  device.exit.then(async (code) => {
    if (!device.isStarted && !signal.aborted)
      bench.fail(workloadFailure(`${howEnded(code)} before it was told to start${await device.lastWords()}`));
  });
  const isHeard = await Promise.race([device.greet(GREETING_MS), aborted(signal).then(() => true)]);
  if (signal.aborted) return device;
  if (isHeard) await device.ping(OUTER_PINGS);
  else if (!device.isGone)
    notice('device: answers no ping, so its events cannot be placed in time; it must answer "ping <id>" lines (docs/device-protocol.md)');
  return device;
}

async function phases(bench: Bench, { plan }: Rig, course: Course & { readonly device: DeviceLink | undefined }): Promise<void> {
  const { signal, stage, device } = course;
  const canPulse = plan.pulses && (await pulses(bench, course));
  await idle(bench, plan.baseline_s, course);
  if (signal.aborted) return bench.mark("interrupted");
  stage("workload", device ? undefined : plan.timeout_s);
  bench.mark("workload_start");
  if (device) {
    const ended = workloadEnd(bench, device, plan.timeout_s);
    ended.catch(() => undefined); // Heard below, unless the workload is gone before it could be told to start.
    await device.start();
    await Promise.race([ended, aborted(signal)]);
  } else await pause(bench, plan.timeout_s, signal);
  bench.mark(signal.aborted ? "interrupted" : "workload_end");
  if (signal.aborted) return;
  stage("settling", plan.settle_s);
  await pause(bench, plan.settle_s, signal);
  await idle(bench, plan.after_s, course);
  if (canPulse) await pulses(bench, course);
}

/** A train of load pulses, where there is a device that can; then rest, so that the train is seen to its end. @returns whether it can */
async function pulses(bench: Bench, { device, signal, stage }: Course & { readonly device: DeviceLink | undefined }): Promise<boolean> {
  if (!device?.hasAnswered || device.isGone || signal.aborted) return false;
  stage("aligning", undefined);
  const isDone = await Promise.race([loadPulses(bench, device), aborted(signal).then(() => false)]);
  if (isDone) await pause(bench, AFTER_PULSES_S, signal);
  return isDone;
}

async function idle(bench: Bench, duration_s: number, { signal, stage }: Course): Promise<void> {
  if (duration_s <= 0 || signal.aborted) return;
  stage("idle", duration_s);
  bench.mark("idle_start");
  await pause(bench, duration_s, signal);
  bench.mark("idle_end");
}

const aborted = (signal: AbortSignal): Promise<unknown> =>
  signal.aborted ? Promise.resolve() : firstValueFrom(fromEvent(signal, "abort"));

/** Lets host time pass, unless the session fails or is interrupted. */
const pause = (bench: Bench, duration_s: number, signal: AbortSignal): Promise<unknown> =>
  firstValueFrom(merge(timer(duration_s * 1000), aborted(signal), bench.failure$));

/** Resolves when the workload says that it is done or ends well. @throws JoulebenchError `link` when it ends badly or not at all */
async function workloadEnd(bench: Bench, device: DeviceLink, limit_s: number): Promise<void> {
  const late = (): JoulebenchError =>
    workloadFailure(`neither said {"type":"done"} nor ended within ${limit_s} s; raise plan.timeout_s, or look why it hangs`);
  const ended = device.exit.then(async (code) => {
    if (code !== 0) throw workloadFailure(`${howEnded(code)}${await device.lastWords()}`);
  });
  await Promise.race([bench.until((each) => each.type === "done", { ms: limit_s * 1000, late }), ended]);
}

const workloadFailure = (message: string): JoulebenchError => new JoulebenchError("link", "the workload", message);

const howEnded = (code: number | null): string => (code === null ? "was ended by a signal" : `ended with exit code ${code}`);
