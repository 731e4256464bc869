/** One column of an answer: its name, and what it is computed of. */
export interface Column {
  readonly name: string;
  readonly expression: string;
  /** Fields and tags it is computed of, where the query has a query inside also through that. */
  readonly of: readonly string[];
}

/** As much of an InfluxQL SELECT as dashboards are written in: every name in double quotes, no brackets but of calls. */
export interface Select {
  readonly measurement: string;
  readonly columns: readonly Column[];
  /** Every field and tag named anywhere in the query. */
  readonly names: readonly string[];
}

const NAME = /"([^"]+)"/g;
const namesIn = (text: string): string[] => [...text.matchAll(NAME)].map((match) => match[1]!);

/** @throws Error where a query is not written so */
export function parseSelect(query: string): Select {
  const inner = /\bFROM \((SELECT .*)\)(.*)$/s.exec(query);
  const from = inner ? undefined : /\bFROM (?:"[^"]+"\.)?"([^"]+)"(.*)$/s.exec(query);
  const list = /^SELECT (.*?) FROM /s.exec(query)?.[1];
  if (list === undefined || !(inner ?? from)) throw new Error(`no SELECT … FROM "…": ${query}`);
  const below = inner ? parseSelect(inner[1]!) : undefined;
  const through = (name: string): readonly string[] => below?.columns.find((each) => each.name === name)?.of ?? [name];
  const columns = list.split(/,(?![^(]*\))/).map((item): Column => {
    const [, expression = "", alias] = /^\s*(.*?)(?: AS "([^"]+)")?\s*$/s.exec(item)!;
    const of = namesIn(expression).flatMap(through);
    return { name: alias ?? of[0] ?? expression, expression, of };
  });
  const rest = namesIn((inner ?? from)![2]!).flatMap(through);
  const names = [...new Set([...columns.flatMap(({ of }) => of), ...rest, ...(below?.names ?? [])])];
  return { measurement: below?.measurement ?? from![1]!, columns, names };
}

/** What a name may be in a regular expression of InfluxQL, as Grafana writes it there. */
const escaped = (value: string): string => value.replace(/[\\^$*+?.()|[\]{}/]/g, "\\$&");

/** What is chosen in a dashboard; All is what its `allValue` says. */
export type Chosen = Readonly<Record<string, readonly string[] | "All">>;

export interface Range {
  readonly from_ms: number;
  readonly to_ms: number;
  readonly interval_s: number;
}

/** The query as Grafana sends it: time range, interval and variables put in. */
export function interpolated(query: string, chosen: Chosen, { from_ms, to_ms, interval_s }: Range): string {
  const macros = query
    .replaceAll("$timeFilter", `time >= ${from_ms}ms and time <= ${to_ms}ms`)
    .replaceAll("$__interval_ms", `${interval_s * 1000}`)
    .replaceAll("$__interval", `${interval_s}s`);
  return macros.replaceAll(/\$(rig|device|run|kept)\b/g, (_, name: string) => {
    const values = chosen[name];
    if (values === undefined) throw new Error(`nothing is chosen for $${name}: ${query}`);
    if (values === "All") return ".*";
    return values.length === 1 ? escaped(values[0]!) : `(${values.map(escaped).join("|")})`;
  });
}
