import type { Problem } from "./problems.ts";

type Content = Readonly<Record<string, unknown>>;

/** One combination of the values of all axes. */
export interface Combination {
  /** By dotted key, in the order of the plan. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Which value of each axis it is, for messages. */
  readonly at: Readonly<Record<string, number>>;
}

/** More is a slip: a minute each, it would take a week. */
export const MOST_CELLS = 10_000;

/** Cartesian product; the last axis changes fastest. No axis makes one combination of nothing. */
export function combinations(axes: Readonly<Record<string, readonly unknown[]>>): Combination[] {
  return Object.entries(axes).reduce<Combination[]>(
    (made, [key, values]) =>
      made.flatMap((each) => values.map((value, i) => ({ values: { ...each.values, [key]: value }, at: { ...each.at, [key]: i } }))),
    [{ values: {}, at: {} }],
  );
}

/** Combinations there would be, without making them. */
export const countOf = (axes: Readonly<Record<string, readonly unknown[]>>): number =>
  Object.values(axes).reduce((product, values) => product * values.length, 1);

/** The plan's content with the values of a combination put in. */
export function withValues(content: Content, { values }: Combination): Content {
  return Object.entries(values).reduce((made, [key, value]) => put(made, key.split("."), value), content);
}

function put(content: Content, [key = "", ...rest]: readonly string[], value: unknown): Content {
  if (rest.length === 0) return { ...content, [key]: value };
  const below = content[key];
  return { ...content, [key]: put(isMap(below) ? below : {}, rest, value) };
}

const isMap = (value: unknown): value is Content => typeof value === "object" && value !== null && !Array.isArray(value);

/** Axes that no value could be put at: a key without a name, or one below something that is no map. */
export function misplacedAxes(content: Content, axes: Readonly<Record<string, unknown>>): Problem[] {
  return Object.keys(axes).flatMap((axis): Problem[] => {
    const keys = axis.split(".");
    const path = ["axes", axis];
    if (keys.some((key) => key === "")) return [{ path, message: "expected the dotted key of a plan, such as engine.threads" }];
    let here: unknown = content;
    for (const [depth, key] of keys.slice(0, -1).entries()) {
      here = isMap(here) ? here[key] : undefined;
      if (here !== undefined && !isMap(here))
        return [{ path, message: `${keys.slice(0, depth + 1).join(".")} is no map, so nothing stands below it` }];
    }
    return [];
  });
}

/** Where a problem of a combination stands in the file: at the axis value that brought it in, else at the key itself. */
export function placed({ path, message }: Problem, content: Content, { at, values }: Combination): Problem {
  const dotted = path.map(String);
  const axis = Object.keys(at).find(
    (each) => startsWith(dotted, each.split(".")) || (startsWith(each.split("."), dotted) && !has(content, dotted)),
  );
  if (axis === undefined) return { path, message };
  const value = JSON.stringify(values[axis]);
  return {
    path: ["axes", axis, at[axis]!],
    message: `${dotted.join(".")} = ${value.length > 40 ? `${value.slice(0, 40)}…` : value}: ${message}`,
  };
}

const startsWith = (path: readonly string[], beginning: readonly string[]): boolean =>
  beginning.length > 0 && beginning.every((key, i) => path[i] === key);

function has(content: Content, path: readonly string[]): boolean {
  let here: unknown = content;
  for (const key of path) here = isMap(here) ? here[key] : undefined;
  return here !== undefined;
}
