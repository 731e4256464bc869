import type { SessionSeconds, TimeMap } from "../model/clock.ts";
import type { MeltConfiguration, MeltRig } from "./melt-files.ts";
import type { MeltRun } from "./melt-run.ts";

/**
 * Between the moment MELT writes `.t_monsoon` and the stamp of the first row lie one small file and two packets. Not
 * measured on a Raspberry Pi; 20 ms is far above what it takes elsewhere.
 */
const FIRST_ROW_S = 0.02;

/** `idevicedate -c` sets an iPhone to whole seconds, so that it starts up to this much behind (libimobiledevice). */
const IPHONE_BEHIND_S = 1;

/** Nothing sets an Android phone; its network time is taken to be this good. An assumption, and said to be one. */
const ANDROID_U_S = 0.5;

/** What `expect` over adb adds to a time: an assumption, too. */
const EXPECT_U_S = 0.02;

const rectangular = (width_s: number): number => width_s / Math.sqrt(12);

/** How a clock of the recording is put on the session's. */
export interface MeltClock {
  /** Session seconds at its zero. */
  readonly shift_s: number;
  readonly u_s: number;
  readonly facts: Readonly<Record<string, number | string>>;
}

/**
 * When the times of the power file were zero, seconds since 1970.
 *
 * MELT takes `.t_monsoon`, which it reads after the meter has been calibrated; the times count from before. The first row
 * follows at once, so its own time tells how long calibration took.
 */
export function powerZero(started_s: number, first_s: number, rig: MeltRig): MeltClock {
  if (rig.power_zero_s !== undefined)
    return { shift_s: rig.power_zero_s, u_s: 0, facts: { zero: "as rig.json states it", zero_s: rig.power_zero_s } };
  const margin_s = Math.min(FIRST_ROW_S, first_s);
  const late_s = first_s - margin_s / 2;
  return {
    shift_s: started_s - late_s,
    u_s: rectangular(margin_s),
    facts: {
      zero: "the time of the first row before .t_monsoon, which MELT takes for zero",
      zero_s: started_s - late_s,
      melt_late_s: late_s,
    },
  };
}

/** The clock of the events: the phone's, or that of the computer which timed the prompts. */
export function eventClock(run: MeltRun, configuration: MeltConfiguration, rig: MeltRig): MeltClock {
  const stated = rig.phone_behind_s === undefined ? {} : { behind_s: rig.phone_behind_s };
  if (run.clock === "host") {
    const u_s = Math.hypot(rig.clock_uncertainty_s ?? EXPECT_U_S, run.u_s);
    return { shift_s: 0, u_s, facts: { map: "the recording computer timed the prompts; tokens joined by cause and effect", u_s } };
  }
  if (rig.phone_behind_s !== undefined || rig.clock_uncertainty_s !== undefined) {
    const u_s = rig.clock_uncertainty_s ?? 0;
    return { shift_s: rig.phone_behind_s ?? 0, u_s, facts: { map: "phone's clock, as rig.json states it", ...stated, u_s } };
  }
  if (isIphone(run, configuration)) {
    const u_s = rectangular(IPHONE_BEHIND_S);
    const map = "iPhone set once to whole seconds: taken to be behind by half of one; drift since then unknown";
    return { shift_s: IPHONE_BEHIND_S / 2, u_s, facts: { map, behind_s: IPHONE_BEHIND_S / 2, u_s } };
  }
  return {
    shift_s: 0,
    u_s: ANDROID_U_S,
    facts: { map: "Android's own time, set by nothing; its uncertainty is an assumption", u_s: ANDROID_U_S },
  };
}

/** By what the configuration names, else by the resolution of the stamps, which Android cuts to milliseconds. */
export function isIphone({ wholeMilliseconds }: MeltRun, { app = "", device = "" }: MeltConfiguration): boolean {
  if (/^LLMFarm/.test(app) || /^(iPhone|iPad)/.test(device)) return true;
  return device === "" && wholeMilliseconds === false;
}

export function clockMap(source: string, { shift_s, u_s }: Pick<MeltClock, "shift_s" | "u_s">): TimeMap {
  const piece = { fromTick: 0, t0_s: shift_s as SessionSeconds, rate_hz: 1, u_s, bound_s: Number.POSITIVE_INFINITY };
  return { source, epoch: 0, pieces: [piece] };
}
