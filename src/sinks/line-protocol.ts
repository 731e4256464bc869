/**
 * InfluxDB line protocol, as 1.x, 2.x and 3.x read it: `measurement,tag=value field=value nanoseconds`.
 *
 * The layout and its escapes are those of docs.influxdata.com, "Line protocol". A control character and a backslash
 * become `_`: a line break would begin a point of its own, and a backslash at the end of a tag swallows what follows.
 */

/** Numbers that are not finite, null and undefined are left out: InfluxDB has none of them. */
export type Fields = Readonly<Record<string, number | string | boolean | null | undefined>>;

/** Longest tag and longest text of a field, characters. */
const TAG_LENGTH = 256;
const TEXT_LENGTH = 4096;

const ALL_UNSAFE = /[\p{Cc}\p{Cs}\\\u2028\u2029]/gu;
const ALL_SEPARATORS = /[,= ]/g;
const BACKSLASH = 0x5c;

/** Printable ASCII but the backslash, as almost every text is: there is nothing to replace. */
function isHarmless(text: string): boolean {
  for (let k = 0; k < text.length; k++) {
    const code = text.charCodeAt(k);
    if (code < 0x20 || code > 0x7e || code === BACKSLASH) return false;
  }
  return true;
}

const plain = (text: string): string => (isHarmless(text) ? text : text.replace(ALL_UNSAFE, "_"));

const key = (text: string): string =>
  text.includes(" ") || text.includes(",") || text.includes("=") ? text.replace(ALL_SEPARATORS, "\\$&") : text;

/** As a tag's value; empty when nothing is left of it. */
export const tagText = (value: string): string => plain(cut(value, TAG_LENGTH)).trim();

/** Cut without halving a character that takes two places. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most);
}

/**
 * The part of a line that names its series. Tags are sorted, which is what the server is quickest with; empty ones,
 * which it refuses, are left out.
 */
export function seriesOf(measurement: string, tags: Readonly<Record<string, string>>): string {
  let series = plain(measurement);
  if (series.includes(" ") || series.includes(",")) series = series.replace(/[, ]/g, "\\$&");
  for (const name of Object.keys(tags).sort()) {
    const value = tagText(tags[name]!);
    if (value !== "") series += `,${key(plain(name))}=${key(value)}`;
  }
  return series;
}

/**
 * One line without its end.
 *
 * @param series of {@link seriesOf}
 * @param time_ns nanoseconds since 1970, decimal: a number could not hold them
 * @returns undefined when no field can be sent
 */
export function lineOf(series: string, fields: Fields, time_ns: bigint | string): string | undefined {
  const text = fieldsOf(fields);
  return text === "" ? undefined : `${series} ${text} ${time_ns}`;
}

/** The fields of a line that can be sent; empty when none can. */
export function fieldsOf(fields: Fields): string {
  let text = "";
  for (const name in fields) {
    const value = fields[name];
    if (typeof value === "number") {
      if (Number.isFinite(value)) text += `,${key(name)}=${value}`;
    } else if (typeof value === "string") text += `,${key(name)}="${quoted(value)}"`;
    else if (typeof value === "boolean") text += `,${key(name)}=${value}`;
  }
  return text.slice(1);
}

function quoted(value: string): string {
  const text = plain(cut(value, TEXT_LENGTH));
  return text.includes('"') ? text.replaceAll('"', '\\"') : text;
}
