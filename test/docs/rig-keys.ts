import { z } from "zod";
import { Experiment } from "../../src/rig/experiment.ts";
import { Rig } from "../../src/rig/rig.ts";

/** What a rig or plan file may say at one key, in the words of docs/rig.md and docs/plans.md. */
export interface RigKey {
  /** Heading of the table it belongs into. */
  readonly heading: string;
  readonly key: string;
  readonly unit: string | undefined;
  readonly values: string;
  readonly default: string;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
}

const UNITS: Readonly<Record<string, string>> = { s: "s", hz: "Hz", ohm: "Ω", v: "V", a: "A", ppm: "ppm", degc: "°C", w: "W" };

/** Every key of the rig's schema. */
export const rigKeys = (): RigKey[] => keysOf(z.toJSONSchema(Rig, { io: "input", unrepresentable: "any" }) as Schema, "");

/** Every key of the schema of plans. */
export const planKeys = (): RigKey[] => keysOf(z.toJSONSchema(Experiment, { io: "input", unrepresentable: "any" }) as Schema, "");

function keysOf(schema: Schema, path: string): RigKey[] {
  if (schema.oneOf) return schema.oneOf.flatMap((each) => keysOf(each, `\`${path}\` of kind \`${each.properties?.kind?.const}\``));
  const heading = path === "" ? "The file" : path.includes("`") ? path : `\`${path}\``;
  return Object.entries(schema.properties ?? {}).flatMap(([key, each]) => {
    const below = path === "" ? key : `${path}.${key}`;
    const entries = each.items?.properties ? keysOf(each.items, `${below.includes("`") ? below : `\`${below}\``}, each entry`) : [];
    const nested = isRecord(each) ? keysOf(each.additionalProperties as Schema, `${below}.<name>`) : [...keysOf(each, below), ...entries];
    // What only gathers others needs no table row of its own below the file's.
    const isGroup = nested.length > 0 && path !== "" && each.oneOf === undefined;
    const row = { heading, key, unit: unitOf(key), values: valuesOf(each), default: defaultOf(each, schema.required?.includes(key)) };
    return [...(isGroup ? [] : [row]), ...nested];
  });
}

const isRecord = ({ additionalProperties }: Schema): boolean =>
  typeof additionalProperties === "object" && (additionalProperties.oneOf ?? additionalProperties.properties) !== undefined;

const unitOf = (key: string): string | undefined => (key.includes("_") ? UNITS[key.slice(key.lastIndexOf("_") + 1)] : undefined);

function valuesOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((each) => `\`${each}\``).join(", ");
  if (schema.anyOf) return schema.anyOf.map((each) => (each.const === undefined ? valuesOf(each) : String(each.const))).join(", ");
  if (Array.isArray(schema.type)) return "text, `true` or `false`";
  if (schema.type === "boolean") return "`true`, `false`";
  if (schema.type === "array") return listOf(schema.items);
  if (schema.type === "string") return "text";
  if (schema.type === "number") return rangeOf(schema) || "any number";
  if (schema.type === "integer") return ["whole", rangeOf(schema)].filter(Boolean).join(", ");
  const isTexts = typeof schema.additionalProperties === "object" && schema.additionalProperties.type === "string";
  return isTexts ? "names to texts" : "map";
}

/** Lists by what is in them. */
function listOf(items: Schema | undefined): string {
  if (items?.type === "string") return "list of texts";
  if (items?.type === "integer") return "list of numbers";
  if (items?.type === "array") return "list of lists";
  return "list";
}

function rangeOf({ minimum, exclusiveMinimum, maximum }: Schema): string {
  // zod states the bounds of whole numbers even where the schema sets none.
  const [least, most] = [minimum, maximum].map((each) => (Math.abs(each ?? Infinity) >= Number.MAX_SAFE_INTEGER ? undefined : each));
  if (least !== undefined && most !== undefined) return `${least} to ${most}`;
  const lower = exclusiveMinimum === undefined ? least !== undefined && `≥ ${least}` : `> ${exclusiveMinimum}`;
  return [lower, most !== undefined && `≤ ${most}`].filter(Boolean).join(", ");
}

function defaultOf(schema: Schema, isRequired: boolean | undefined): string {
  const value = schema.default;
  if (value === undefined) return isRequired ? "required" : "none";
  if (typeof value === "number") return String(Number(value.toPrecision(4)));
  if (value === "") return "empty";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.length === 0 ? "empty" : JSON.stringify(value);
  const entries = Object.entries(value as object).map(([key, each]) => `${key}: ${each}`);
  return entries.length === 0 ? "its defaults" : `\`{ ${entries.join(", ")} }\``;
}
