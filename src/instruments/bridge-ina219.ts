import { defineInstrument } from "../model/instrument.ts";
import { BridgeDriver } from "./bridge-ina219-driver.ts";
import { accuracy, BAUD, BUS_GAIN_U, CalibrationValues, clock, corrected, Options } from "./bridge-ina219-options.ts";

/** INA219 behind our microcontroller bridge: raw register counts on the wire, calibration here. */
export const bridgeIna219 = defineInstrument({
  kind: "bridge-ina219",
  summary: "INA219 on an Arduino Uno or Nano with our firmware (firmware-bridge/)",
  options: Options,
  over: "port",
  baud: BAUD,
  channels: ["main"],
  open: (options, context) => new BridgeDriver(options, context),
  accuracy: (options) => accuracy(options),
  clock: (options) => clock(options),
  calibration: { values: CalibrationValues, voltageGain_u: BUS_GAIN_U, correct: corrected },
});
