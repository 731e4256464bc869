import { analyze } from "../../src/metrics/analyze.ts";
import type { Measurement } from "../../src/model/measurement.ts";
import type { Recording } from "../../src/model/recording.ts";
import type { Results } from "../../src/model/results.ts";
import { phases } from "../../src/windows/phases.ts";

/** Results of a recording as `analyze` prints them, and its measurements by name. */
export interface Measured {
  readonly results: Results;
  all(name: string): readonly Measurement[];
  /** The one measurement of that name, of one request where it is given. */
  one(name: string, request?: string): Measurement;
}

/** Windows from the events, energies from the blocks: what a session does at its end, without a session. */
export function measured(recording: Recording): Measured {
  const { windows, faults } = phases(recording.events, recording.maps);
  const results = analyze("scenario", { ...recording, faults: [...recording.faults, ...faults] }, windows);
  const all = (name: string) => results.measurements.filter((each) => each.name === name);
  return {
    results,
    all,
    one: (name, request) => {
      const found = all(name).filter((each) => request === undefined || each.request === request);
      if (found.length !== 1) throw new Error(`${found.length} measurements ${name} ${request ?? ""}`);
      return found[0]!;
    },
  };
}
