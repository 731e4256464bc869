import type { Recording } from "../model/recording.ts";
import type { SessionFile } from "../store/session-file.ts";
import type { Analysis } from "./analysis.ts";

/** Facts about where a session came from, by dotted name: what a reader must know before comparing it with another. */
export function provenance({ session, recording, results }: Analysis): Readonly<Record<string, string>> {
  const { plan: _plan, ...rig } = asRecord(session.rig);
  return {
    origin: "import" in session.origin ? `import of ${session.origin.import}` : "run",
    joulebench: session.joulebench,
    ...flat("host", session.host),
    measurand: results.measurand ?? "none",
    baseline: results.baseline.name.split(",")[0]!,
    ...flat("rig", rig),
    ...flat("plan", session.plan),
    ...flat("identity", session.identities),
    ...workOf(recording),
  };
}

/** What was counted and by which model, as far as the events say. */
function workOf({ events }: Recording): Record<string, string> {
  const distinct = (pick: (event: (typeof events)[number]) => string | undefined): string =>
    [...new Set(events.flatMap((event) => pick(event) ?? []))].toSorted().join(", ");
  return {
    models: distinct((event) => event.model),
    phases: distinct((event) => event.phase),
    units: distinct((event) => event.unit),
  };
}

/** Facts in which sessions differ: the name, and the fact of each session in their order. */
export function differences(
  facts: readonly Readonly<Record<string, string>>[],
): { readonly fact: string; readonly values: readonly string[] }[] {
  const names = [...new Set(facts.flatMap((each) => Object.keys(each)))];
  return names.map((fact) => ({ fact, values: facts.map((each) => each[fact] ?? "") })).filter(({ values }) => new Set(values).size > 1);
}

/**
 * Whether one instrument, at one port of one host, with one calibration and the same settings, measured both: only
 * then do its errors cancel in a ratio. An import does not say what measured it.
 */
export function sameInstrument(a: Analysis, b: Analysis): boolean {
  const [left, right] = [a, b].map(({ session, results }) => instrumentOf(session, results.measurand));
  return left !== undefined && left === right;
}

function instrumentOf({ rig, identities, host }: SessionFile, measurand: string | null): string | undefined {
  if (measurand === null) return undefined;
  const source = measurand.split(".")[0]!;
  const instrument = asRecord(asRecord(rig).instruments)[source];
  if (instrument === undefined) return undefined;
  return JSON.stringify(sorted(flat("", { host: host.name, measurand, instrument, identity: identities[source] ?? {} })));
}

const sorted = (facts: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(facts).toSorted(([a], [b]) => (a < b ? -1 : 1));

/** Leaves of a value by dotted path; a list is one leaf. */
export function flat(prefix: string, value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { [prefix]: typeof value === "string" ? value : JSON.stringify(value) };
  return Object.assign({}, ...Object.entries(value).map(([key, each]) => flat(prefix ? `${prefix}.${key}` : key, each))) as Record<
    string,
    string
  >;
}

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
