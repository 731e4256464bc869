import { parseDocument } from "yaml";
import { type Calibration, parseRig, type Rig } from "./rig.ts";

const DAY_MS = 86_400_000;

/** How the calibration of a rig's measurand stands to a session: days between the two, and the most the rig allows. */
export interface CalibrationAge {
  /** Absent where the instrument was never calibrated. Negative for a calibration made after the session. */
  readonly age_days?: number;
  readonly limit_days?: number;
}

/** @param started Unix time of session zero, ISO 8601: the session's, never now, so that an analysis can be repeated */
export function calibrationAge(rig: Rig, started: string): CalibrationAge {
  const { calibration } = rig.instruments[rig.measurand?.split(".")[0] ?? ""] ?? {};
  return {
    ...(calibration ? { age_days: (Date.parse(started) - Date.parse(calibration.date)) / DAY_MS } : {}),
    ...(rig.calibration_max_age_days === undefined ? {} : { limit_days: rig.calibration_max_age_days }),
  };
}

/**
 * Text of a rig file with the calibration of one instrument put in; its comments and everything else stay.
 *
 * @param path for messages
 * @throws JoulebenchError `config` when the file, as it would be, is no rig
 */
export function withCalibration(text: string, path: string, source: string, calibration: Calibration): string {
  const document = parseDocument(text);
  document.setIn(["instruments", source, "calibration"], document.createNode(calibration));
  const changed = document.toString({ lineWidth: 0 });
  parseRig(changed, path);
  return changed;
}
