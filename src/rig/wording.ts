import type { z } from "zod";

type Issue = z.core.$ZodIssue;

/** What a schema calls a type, in the words of docs/rig.md. */
const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

/** Longer texts are quoted as far as this. */
const LONGEST = 40;

export const typeInWords = (type: string): string => TYPES[type] ?? type;

/** What was expected of a value and what stands there, in the words of somebody editing the file; a schema's own words as they are. */
export function inWords(issue: Issue): string {
  if (issue.code === "invalid_key") return issue.issues.map(inWords).join("; ");
  const expected = /^(Invalid|Too (small|big))\b/.test(issue.message) ? expectedBy(issue) : undefined;
  if (expected === undefined) return issue.message;
  const found = foundBy(issue);
  if (found === undefined) return `missing; expected ${expected}`;
  const isQuoted = typeof found === "string" && found.trim() !== "" && Number.isFinite(Number(found)) && /number/.test(expected);
  return `expected ${expected}, found ${isQuoted ? "the text " : ""}${shown(found)}${isQuoted ? "; leave the quotes out" : ""}`;
}

function expectedBy(issue: Issue): string | undefined {
  if (issue.code === "invalid_type") return typeInWords(issue.expected);
  if (issue.code === "invalid_value") return choice(issue.values);
  if (issue.code === "invalid_union") {
    if ("options" in issue && Array.isArray(issue.options)) return choice(issue.options);
    const either = issue.errors.map(([first]) => (first && first.path.length === 0 ? expectedBy(first) : undefined));
    return either.includes(undefined) ? undefined : [...new Set(either)].join(" or ");
  }
  if (issue.code === "too_small") return sized(issue.origin, issue.inclusive ? "at least" : "more than", issue.minimum);
  if (issue.code === "too_big") return sized(issue.origin, issue.inclusive ? "at most" : "less than", issue.maximum);
  return undefined;
}

const choice = (values: readonly unknown[]): string =>
  values.length === 1 ? String(values[0]) : `one of ${values.map(String).join(", ")}`;

function sized(origin: string, bound: string, size: number | bigint): string {
  if (origin === "array") return `a list of ${bound} ${size}`;
  if (origin === "string") return `text of ${bound} ${size} ${size === 1 ? "letter" : "letters"}`;
  return `${bound} ${size}`;
}

/** The value at fault: of a map of unknown kind its kind. */
function foundBy(issue: Issue): unknown {
  if (issue.code !== "invalid_union" || !("discriminator" in issue) || typeof issue.discriminator !== "string") return issue.input;
  return (issue.input as Readonly<Record<string, unknown>> | undefined)?.[issue.discriminator];
}

function shown(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a map";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value);
}
