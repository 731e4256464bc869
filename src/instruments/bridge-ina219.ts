import { defineInstrument } from "../model/instrument.ts";
import { BridgeDriver } from "./bridge-ina219-driver.ts";
import { accuracy, BAUD, BUS_GAIN_U, CalibrationValues, clock, corrected, Options } from "./bridge-ina219-options.ts";

/** Four of the sample, and its share of the frame and of the tape's record around it, when frames are short. */
const BYTES_PER_SAMPLE = 10;

/** INA219 behind our microcontroller bridge: raw register counts on the wire, calibration here. */
export const bridgeIna219 = defineInstrument({
  kind: "bridge-ina219",
  summary: "INA219 on an Arduino Uno or Nano with our firmware (firmware-bridge/)",
  options: Options,
  over: "port",
  baud: BAUD,
  bytesPerSecond: ({ rate_hz }) => rate_hz * BYTES_PER_SAMPLE,
  channels: ["main"],
  open: (options, context) => new BridgeDriver(options, context),
  accuracy: (options) => accuracy(options),
  clock: (options) => clock(options),
  calibration: { values: CalibrationValues, voltageGain_u: BUS_GAIN_U, correct: corrected },
});
