import { JoulebenchError } from "../model/errors.ts";
import type { Rig } from "../rig/rig.ts";
import type { Bench } from "./bench.ts";
import type { Course } from "./course.ts";
import type { DeviceLink } from "./device-link.ts";
import type { UsbPower } from "./usb-power.ts";
import { pause, workloadEnd } from "./waiting.ts";

/** The workload begins this long after the idle has ended by our clock: the device may count a little faster. */
const GUARD_S = 2;
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
  await process.startLater(baseline_s + GUARD_S);
  await device.detach();
  await power?.cut();
  stage("idle", baseline_s);
  bench.mark("idle_start");
  await pause(bench, baseline_s, signal);
  bench.mark("idle_end");
  stage("workload", detached_s - baseline_s);
  bench.mark("workload_start");
  await pause(bench, detached_s - baseline_s, signal);
  await power?.restore();
  const ended = workloadEnd(bench, process, { seconds: HEARING_S, key: "plan.detached_s" });
  ended.catch(() => undefined); // Heard below, unless the device does not come back.
  await device.attach();
  if (!signal.aborted) await ended;
  bench.mark(signal.aborted ? "interrupted" : "workload_end");
}
