import { JoulebenchError } from "../model/errors.ts";
import type { Rig } from "../rig/rig.ts";
import type { Bench } from "./bench.ts";
import type { Course } from "./course.ts";
import type { DeviceLink } from "./device-link.ts";
import type { UsbPower } from "./usb-power.ts";
import { pause, workloadEnd } from "./waiting.ts";

/** The workload begins this long after an idle that begins at once: the device has to be let go and its power cut before. */
const GUARD_S = 2;
/** The idle ends so long before that: the device may count a little faster than we do. */
const MARGIN_S = 0.5;
/** A workload that was done in time is heard to its end well within this once the link is back. */
const HEARING_S = 60;

/** What the course of a session without a link needs. */
export interface Detached extends Course {
  readonly device: DeviceLink;
  readonly power: UsbPower | undefined;
}

/**
 * A session whose device cannot be reached while it is measured, as over a USB cable that has to be cut.
 *
 * The workload waits on the device and begins by itself when the idle is over; what it says is kept there and heard
 * when the link is back. Clock pings before and after have to carry the time between.
 *
 * @throws JoulebenchError of whatever ended the session before its time
 */
export async function detached(bench: Bench, { plan }: Rig, { device, power, signal, stage }: Detached): Promise<void> {
  const { detached_s, baseline_s } = plan;
  const { process } = device;
  if (!process || detached_s === undefined || detached_s < baseline_s + GUARD_S)
    throw new JoulebenchError(
      "config",
      "plan.detached_s",
      `\`link: detached\` needs a device.command, and a detached_s in which the idle of ${baseline_s} s and the whole workload fit`,
    );
  const told_ms = performance.now();
  await process.startLater(baseline_s + GUARD_S);
  await device.detach();
  let failure: unknown;
  try {
    await power?.cut();
    const spent_s = (performance.now() - told_ms) / 1000;
    await alone(bench, { idle_s: idleLeft_s(baseline_s, spent_s), work_s: detached_s - spent_s }, { signal, stage });
  } catch (error) {
    failure = error;
  }
  await power?.restore();
  if (failure !== undefined) {
    // What was left running there can only be ended over a link; that it does not come back is not what went wrong first.
    await device.attach().catch(() => undefined);
    throw failure;
  }
  const ended = workloadEnd(bench, process, { seconds: plan.link_patience_s + HEARING_S, key: "plan.detached_s" });
  ended.catch(() => undefined); // Heard below, unless the device does not come back.
  await device.attach();
  if (!signal.aborted) await ended;
  bench.mark(signal.aborted ? "interrupted" : "workload_end");
}

/** What is left of the idle until the workload begins by itself. @throws JoulebenchError `config` when it is too little */
function idleLeft_s(baseline_s: number, spent_s: number): number {
  const left_s = Math.min(baseline_s, baseline_s + GUARD_S - MARGIN_S - spent_s);
  if (left_s >= baseline_s / 2) return left_s;
  throw new JoulebenchError(
    "config",
    "usb_power",
    `it took ${spent_s.toFixed(1)} s until the power was cut, and too little is left of the idle of ${baseline_s} s before the workload begins by itself; raise plan.baseline_s`,
  );
}

/** The idle and the work of a device that nobody speaks with. */
async function alone(
  bench: Bench,
  { idle_s, work_s }: { readonly idle_s: number; readonly work_s: number },
  { signal, stage }: Pick<Detached, "signal" | "stage">,
): Promise<void> {
  stage("idle", idle_s);
  bench.mark("idle_start");
  await pause(bench, idle_s, signal);
  bench.mark("idle_end");
  stage("workload", work_s - idle_s);
  bench.mark("workload_start");
  await pause(bench, work_s - idle_s, signal);
}
