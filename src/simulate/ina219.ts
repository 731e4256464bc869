import type { Plant } from "./plant.ts";

/** What a real part deviates from its datasheet by; all zero for the ideal one. */
export interface Ina219Options {
  /** The shunt as it is, whatever the rig believes. */
  readonly shunt_ohm: number;
  /** Relative error of the shunt converter's gain, and of the bus converter's. */
  readonly shuntGainError?: number;
  readonly busGainError?: number;
  readonly shuntOffset_v?: number;
  readonly busOffset_v?: number;
  /** Relative error of every conversion time: +0.05 converts 5 % slower than typical. */
  readonly conversionTimeError?: number;
}

/** Registers of the INA219, TI SBOS448 section 8.6. */
export const INA219 = { config: 0, shunt: 1, bus: 2, power: 3, current: 4, calibration: 5 } as const;

const POWER_ON_CONFIG = 0x399f;
const SHUNT_LSB_V = 10e-6;
const BUS_LSB_V = 4e-3;
/** SBOS448 table 5, typical: 9, 10, 11, 12 bit, then 1, 2, 4 … 128 averaged 12-bit conversions. */
const SINGLE_S = [84e-6, 148e-6, 276e-6, 532e-6] as const;
const AVERAGED_S = [532e-6, 1.06e-3, 2.13e-3, 4.26e-3, 8.51e-3, 17.02e-3, 34.05e-3, 68.1e-3] as const;

interface Adc {
  readonly time_s: number;
  /** Step of the result in units of its register's least count. */
  readonly step: number;
}

const adc = (code: number): Adc =>
  code & 8 ? { time_s: AVERAGED_S[code & 7]!, step: 1 } : { time_s: SINGLE_S[code & 3]!, step: 1 << (3 - (code & 3)) };

/**
 * Register model of the INA219 in true time: continuous shunt and bus conversions one after the other, free running
 * since the last write to the configuration register, each the mean over its conversion time.
 *
 * Registers are a function of the plant and the time at which they are read, so nothing has to be stepped.
 * Modes other than continuous are not modelled: they leave the registers as they are at power-on.
 */
export class Ina219 {
  readonly #plant: () => Plant;
  readonly #options: Ina219Options;
  #config = POWER_ON_CONFIG;
  #calibration = 0;
  #configured_s: number;
  /** Cycles since then whose end the conversion-ready bit has already been cleared for. */
  #cyclesSeen = 0;

  constructor(plant: () => Plant, options: Ina219Options, poweredOn_s = 0) {
    this.#plant = plant;
    this.#options = options;
    this.#configured_s = poweredOn_s;
  }

  write(register: number, value: number, t: number): void {
    if (register === INA219.calibration) this.#calibration = value & 0xfffe;
    if (register !== INA219.config) return;
    if (value & 0x8000) this.#calibration = 0;
    this.#config = value & 0x8000 ? POWER_ON_CONFIG : value;
    this.#configured_s = t;
    this.#cyclesSeen = 0;
  }

  read(register: number, t: number): number {
    switch (register) {
      case INA219.config:
        return this.#config;
      case INA219.shunt:
        return this.#shunt(t) & 0xffff;
      case INA219.bus:
        return (this.#bus(t) << 3) | (this.#cycles(t) > this.#cyclesSeen ? 2 : 0) | (this.#arithmetic(t).overflow ? 1 : 0);
      case INA219.power:
        this.#cyclesSeen = this.#cycles(t);
        return this.#arithmetic(t).power & 0xffff;
      case INA219.current:
        return this.#arithmetic(t).current & 0xffff;
      case INA219.calibration:
        return this.#calibration;
      default:
        return 0xffff;
    }
  }

  get #shuntAdc(): Adc {
    return adc((this.#config >> 3) & 15);
  }

  get #busAdc(): Adc {
    return adc((this.#config >> 7) & 15);
  }

  get #stretch(): number {
    return 1 + (this.#options.conversionTimeError ?? 0);
  }

  get #cycle_s(): number {
    return (this.#shuntAdc.time_s + this.#busAdc.time_s) * this.#stretch;
  }

  /** Whole cycles since the configuration. */
  #cycles(t: number): number {
    return (this.#config & 7) === 7 ? Math.max(0, Math.floor((t - this.#configured_s) / this.#cycle_s)) : 0;
  }

  #shunt(t: number): number {
    const { time_s, step } = this.#shuntAdc;
    const length_s = time_s * this.#stretch;
    const from = this.#lastStart(t, 0, length_s);
    if (from === undefined) return 0;
    const { shunt_ohm, shuntGainError = 0, shuntOffset_v = 0 } = this.#options;
    const { supply_v } = this.#plant();
    const current_a = this.#plant().energy_j(from, from + length_s) / length_s / supply_v;
    const volts = current_a * shunt_ohm * (1 + shuntGainError) + shuntOffset_v;
    const full = 4000 << ((this.#config >> 11) & 3);
    return Math.max(-full, Math.min(full, Math.round(volts / SHUNT_LSB_V / step) * step));
  }

  #bus(t: number): number {
    const { time_s, step } = this.#busAdc;
    const length_s = time_s * this.#stretch;
    if (this.#lastStart(t, this.#cycle_s - length_s, length_s) === undefined) return 0;
    const { busGainError = 0, busOffset_v = 0 } = this.#options;
    const volts = this.#plant().supply_v * (1 + busGainError) + busOffset_v;
    const full = this.#config & 0x2000 ? 8000 : 4000;
    return Math.max(0, Math.min(full, Math.round(volts / BUS_LSB_V / step) * step));
  }

  /** Start of the last conversion that is finished at `t`, of those that begin `offset_s` into each cycle. */
  #lastStart(t: number, offset_s: number, length_s: number): number | undefined {
    if ((this.#config & 7) !== 7) return undefined;
    const finished = Math.floor((t - this.#configured_s - offset_s - length_s) / this.#cycle_s);
    return finished < 0 ? undefined : this.#configured_s + finished * this.#cycle_s + offset_s;
  }

  /** SBOS448 section 8.5.1: current = shunt * calibration / 4096, power = current * bus / 5000. */
  #arithmetic(t: number): { current: number; power: number; overflow: boolean } {
    const current = Math.trunc((this.#shunt(t) * this.#calibration) / 4096);
    const power = Math.trunc((Math.abs(current) * this.#bus(t)) / 5000);
    return { current, power, overflow: Math.abs(current) > 0x7fff || power > 0xffff };
  }
}
