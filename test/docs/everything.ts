import { generic } from "../../src/importers/generic.ts";
import { analyze } from "../../src/metrics/analyze.ts";
import type { Recording } from "../../src/model/recording.ts";
import type { Results } from "../../src/model/results.ts";
import { phases } from "../../src/windows/phases.ts";

const REQUESTS = 6;

/** Results of a session with all kinds of work. */
export function resultsOfEverything(): Results {
  const recording = everything();
  return analyze("s", recording, phases(recording.events, recording.maps).windows);
}

/** The name of every quantity that such a session has, without `_net`, in alphabetical order. */
export function measurementNames(): string[] {
  const { measurements, summary } = resultsOfEverything();
  const names = [...measurements.map(({ name }) => name), ...Object.keys(summary)];
  return [...new Set(names.map((name) => name.replace(/_net$/, "")))].sort();
}

/** Idle, a load, requests of different lengths, units of work, idle: 1 W throughout. */
function everything(): Recording {
  const samples = Array.from({ length: 400 }, (_, k) => `${(k + 1) / 10},1`);
  const events: object[] = [{ type: "load_start", time_s: 2 }, { type: "load_end", time_s: 3 }, ...requestEvents()];
  events.push({ type: "unit_start", unit: "image", time_s: 34 }, { type: "unit_end", unit: "image", time_s: 35, count: 4, correct: 3 });
  const files = {
    "power.csv": ["time_s,power_w", ...samples].join("\n"),
    "events.jsonl": events.map((each) => JSON.stringify(each)).join("\n"),
    "rig.json": JSON.stringify({
      rate_hz: 10,
      idle: [
        [0, 2],
        [36, 40],
      ],
    }),
  };
  return generic.decode(Object.entries(files).map(([name, text]) => ({ name, bytes: new TextEncoder().encode(text) })));
}

const requestEvents = (): object[] =>
  Array.from({ length: REQUESTS }, (_, k) => {
    const [request, start_s] = [`r${k}`, 4 + 5 * k];
    const tokens = Array.from({ length: k + 2 }, (_, i) => ({ type: "token", request, time_s: start_s + 1 + (i + 1) / 10, tokens: 1 }));
    return [
      { type: "request_start", request, time_s: start_s },
      { type: "first_token", request, time_s: start_s + 1, tokens: 16 },
      ...tokens,
      { type: "request_end", request, time_s: start_s + 4 },
    ];
  }).flat();
