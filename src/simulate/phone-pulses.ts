import { PULSE_CODE } from "../wire/pulses.ts";
import type { Plant } from "./plant.ts";
import { throughPole, waveform } from "./waveforms.ts";

/** What a pulse adds to the phone's power, and how fast its supply follows. */
export const PULSE_W = 2;
export const PULSE_TAU_S = 4e-3;

/** The load of one train of pulses, in closed form, the first pulse at time 0; nothing before it. */
export const pulsePlant = (): Plant =>
  waveform(
    throughPole(
      PULSE_CODE.map(({ on_s, off_s }) => ({ from_s: on_s, to_s: off_s, power_w: PULSE_W })),
      PULSE_TAU_S,
      0,
    ),
  );
