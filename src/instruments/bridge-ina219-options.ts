import { z } from "zod";
import type { Accuracy, ChannelErrors, ClockSpec } from "../model/instrument.ts";

/** What the committed firmware can do: rate limits and latencies of PROTOCOL.md, "Timing". */
const RATE_MIN_HZ = 50;
const RATE_MAX_HZ = 1500;
/** From a tick to the instant at which the shunt register is latched for reading. */
const SHUNT_LATCH_S = 250e-6;
/** From the last tick of a frame to its first bit on the wire. */
const HANDOVER_S = 550e-6;
/** From the conversion-ready bit being read to its being cleared: a conversion ending in between goes unseen. */
const READY_BLIND_S = 250e-6;

export const BAUD = 1_000_000;
const BITS_PER_BYTE = 10;
/** Bytes of a SAMPLES frame beside its samples: delimiters, COBS code, header, CRC. */
const FRAME_OVERHEAD = 16;
const BYTES_PER_SAMPLE = 4;

/** TI SBOS448, 8.6.3: least count of the shunt and the bus register. */
export const SHUNT_LSB_V = 10e-6;
export const BUS_LSB_V = 4e-3;

/** SBOS448 table 5, typical conversion times by bits and by averages; the slowest part needs 10 % longer (section 7.5). */
const SINGLE_S = { 9: 84e-6, 10: 148e-6, 11: 276e-6, 12: 532e-6 } as const;
/** More than 16 averages convert slower than the bridge's lowest rate. */
const AVERAGED_S = { 2: 1.06e-3, 4: 2.13e-3, 8: 4.26e-3, 16: 8.51e-3 } as const;
const SLOWEST = 1.11;

/** SBOS448 section 7.5, INA219A: limit of the shunt offset by range. */
const SHUNT_OFFSET_LIMIT_V = { 0.04: 100e-6, 0.08: 125e-6, 0.16: 150e-6, 0.32: 200e-6 } as const;
/** Limits at 25 degC of the current gain and the bus gain, and of the shunt resistor that modules carry. */
const GAIN_LIMITS = [0.005, 0.005, 0.01] as const;
/** Relative standard uncertainty of the bus converter's gain, from its limit. */
export const BUS_GAIN_U = GAIN_LIMITS[1] / Math.sqrt(3);

const shunt_ohm = z.number().positive().describe("shunt as fitted, ohm; measured if possible: it scales every current");
const gain_uncertainty = z.number().min(0).max(0.2);
const offset_a = z.number().describe("current shown when none flows; it is subtracted");
const offset_uncertainty_a = z.number().min(0);
const voltage_gain = z.number().min(0.8).max(1.25).describe("by what shown voltages are multiplied");

/** What a calibration finds, and the options above it replaces. */
export const CalibrationValues = z.strictObject({
  shunt_ohm: shunt_ohm.optional(),
  gain_uncertainty: gain_uncertainty.optional(),
  current_offset_a: offset_a.optional(),
  current_offset_uncertainty_a: offset_uncertainty_a.optional(),
  voltage_gain: voltage_gain.optional(),
});

export const Options = z
  .strictObject({
    shunt_ohm,
    gain_uncertainty: gain_uncertainty
      .default(Math.hypot(...GAIN_LIMITS) / Math.sqrt(3))
      .describe("relative standard uncertainty of power after calibration; default from the limits of INA219A and a 1 % shunt"),
    current_offset_a: offset_a.default(0),
    current_offset_uncertainty_a: offset_uncertainty_a
      .optional()
      .describe("standard uncertainty of zero current; default from the datasheet limit"),
    voltage_gain: voltage_gain.default(1),
    voltage_offset_uncertainty_v: z
      .number()
      .min(0)
      .default(BUS_LSB_V / Math.sqrt(3))
      .describe("standard uncertainty of zero voltage"),
    rate_hz: z.int().min(RATE_MIN_HZ).max(RATE_MAX_HZ).default(1000).describe("samples per second"),
    bits: z
      .union([z.literal(9), z.literal(10), z.literal(11), z.literal(12)])
      .default(11)
      .describe("resolution of both converters"),
    averages: z
      .union([z.literal(2), z.literal(4), z.literal(8), z.literal(16)])
      .optional()
      .describe("12 bit conversions averaged by the sensor; replaces `bits`"),
    shunt_range_v: z
      .union([z.literal(0.04), z.literal(0.08), z.literal(0.16), z.literal(0.32)])
      .default(0.32)
      .describe("largest shunt voltage; 0.32 V over 0.1 ohm is 3.2 A"),
    bus_range_v: z
      .union([z.literal(16), z.literal(32)])
      .default(16)
      .describe("largest supply voltage; the part itself stands 26 V"),
    address: z.int().min(0x40).max(0x4f).default(0x40).describe("I2C address of the sensor"),
    clock: z.enum(["crystal", "resonator"]).default("resonator").describe("what times the bridge's processor; Uno and Nano: resonator"),
    usb_latency_s: z
      .number()
      .min(0)
      .max(0.02)
      .default(0.001)
      .describe("largest credible value of the USB adapter's shortest delay; 0 where there is none"),
  })
  .superRefine((options, context) => {
    const fastest_hz = Math.floor(1 / (cycle_s(options) * SLOWEST + READY_BLIND_S));
    if (options.rate_hz <= fastest_hz) return;
    const setting = options.averages ? `${options.averages} averages` : `${options.bits} bit`;
    context.addIssue({
      code: "custom",
      path: ["rate_hz"],
      message: `at ${setting} the sensor converts anew at most ${fastest_hz} times a second: expected <= ${fastest_hz}, or fewer bits`,
    });
  });

export type Options = z.infer<typeof Options>;

type Adc = Pick<Options, "bits" | "averages">;

/** Typical length of one conversion; shunt and bus take turns. */
const conversion_s = ({ bits, averages }: Adc): number => (averages ? AVERAGED_S[averages] : SINGLE_S[bits]);
const cycle_s = (adc: Adc): number => 2 * conversion_s(adc);

/** Step of the results, in least counts of their registers. */
export const countStep = ({ bits, averages }: Adc): number => (averages ? 1 : 1 << (12 - bits));

/** Position of the range in the PG field: 0 for 40 mV … 3 for 320 mV. */
const gainField = ({ shunt_range_v }: Options): number => Math.round(Math.log2(shunt_range_v / 0.04));

/** The largest magnitudes the two registers can show, in their least counts (the bus already shifted right by 3). */
export const fullScale = (options: Options): { shunt: number; bus: number } => ({
  shunt: 4000 << gainField(options),
  bus: options.bus_range_v / BUS_LSB_V,
});

/** Configuration register, SBOS448 section 8.6.2: continuous conversion of shunt and bus. */
export function configRegister(options: Options): number {
  const adc = options.averages ? 8 + Math.log2(options.averages) : options.bits - 9;
  return (options.bus_range_v === 32 ? 0x2000 : 0) | (gainField(options) << 11) | (adc << 7) | (adc << 3) | 7;
}

/**
 * From a tick to the end of the bin its sample stands for, seconds; negative when the bin ends first.
 *
 * The register latched at the tick + 250 us holds the last finished conversion. Ticks and conversions are not
 * synchronised, so that conversion ended on average half a cycle before, and its middle lies half a conversion
 * further back. The bin is one period long and centred on that middle.
 */
export function binEnd_s(options: Options, period_s: number): number {
  return SHUNT_LATCH_S - cycle_s(options) / 2 - conversion_s(options) / 2 + period_s / 2;
}

/** Budget of the channel; see {@link Accuracy}. */
export function accuracy(options: Options): Accuracy {
  const step = countStep(options);
  const offset_v = SHUNT_OFFSET_LIMIT_V[options.shunt_range_v] / Math.sqrt(3);
  // The age of a conversion is uniform over one cycle; the cycle itself is known to 10 %.
  const age_s = cycle_s(options) / Math.sqrt(12);
  const cycle_u_s = (0.1 * (cycle_s(options) + conversion_s(options))) / 2 / Math.sqrt(3);
  return {
    gain: options.gain_uncertainty,
    currentOffset_a: options.current_offset_uncertainty_a ?? offset_v / options.shunt_ohm,
    voltageOffset_v: options.voltage_offset_uncertainty_v,
    currentResolution_a: (SHUNT_LSB_V * step) / options.shunt_ohm,
    voltageResolution_v: BUS_LSB_V * step,
    sampling_s: Math.hypot(age_s, cycle_u_s),
  };
}

/**
 * Options under which the same registers give the true current and voltage; see {@link ChannelErrors}.
 *
 * shown = counts * LSB / shunt - offset, so that a gain divides the shunt and multiplies the offset.
 */
export function corrected(options: Options, errors: ChannelErrors): Readonly<Record<string, number>> {
  const { currentOffset_a, currentGain, voltageGain, powerGain_u } = errors;
  const gain = currentGain?.value ?? 1;
  return {
    ...(currentGain ? { shunt_ohm: options.shunt_ohm / gain } : {}),
    ...(voltageGain ? { voltage_gain: options.voltage_gain * voltageGain.value } : {}),
    ...(powerGain_u === undefined ? {} : { gain_uncertainty: powerGain_u }),
    ...(currentOffset_a || options.current_offset_a !== 0
      ? { current_offset_a: (options.current_offset_a + (currentOffset_a?.value ?? 0)) * gain }
      : {}),
    ...(currentOffset_a ? { current_offset_uncertainty_a: currentOffset_a.u * gain } : {}),
  };
}

/** The bridge's microsecond clock, and the shortest way of a frame from the end of its last bin to the host. */
export function clock(options: Options): ClockSpec {
  const period_s = 1 / options.rate_hz;
  const samples = Math.max(1, Math.floor(0.015 * options.rate_hz));
  const wire_s = ((FRAME_OVERHEAD + samples * BYTES_PER_SAMPLE) * BITS_PER_BYTE) / BAUD;
  const usb_s = options.usb_latency_s / 2;
  return {
    nominal_hz: 1e6,
    limit_ppm: options.clock === "crystal" ? 500 : 10_000,
    latency_s: HANDOVER_S + wire_s + usb_s - binEnd_s(options, period_s),
    u_latency_s: Math.hypot(usb_s / Math.sqrt(3), 50e-6),
  };
}
