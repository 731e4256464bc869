import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { faultyLine } from "./faulty-line.ts";
import type { Workload } from "./workload.ts";

export interface Prompt {
  readonly id?: string | undefined;
  readonly prompt: string;
  readonly output_tokens?: number | undefined;
}

/** One question with its possible answers; `answer` is the index of the right one. */
export interface Choice {
  readonly question: string;
  readonly choices: readonly string[];
  readonly answer: number;
}

/** The texts of a workload, from the plan or from its file. Only what its kind needs is there. */
export interface Items {
  readonly prompts?: readonly Prompt[];
  /** User prompts, turn by turn. */
  readonly conversations?: readonly (readonly string[])[];
  readonly choices?: readonly Choice[];
}

/** A file as it was read: kept with the plan, so that what was asked stands beside what came out. */
export interface WorkloadFile {
  readonly sha256: string;
  readonly text: string;
}

/** More is no workload but the wrong file. */
const MOST_BYTES = 64 << 20;

const PromptLine = z.object({
  id: z
    .string()
    .regex(/^(?!warmup-)./s, "expected a name that does not begin with warmup-, for such requests are not counted")
    .optional(),
  prompt: z.string().min(1),
  output_tokens: z.int().positive().optional(),
});
const ChoiceLine = z.object({
  question: z.string().min(1),
  choices: z.array(z.string()).min(2).max(26),
  answer: z.union([z.int(), z.string()], "expected one of the choices, its letter or its number"),
});
const Turn = z.union(
  [z.string().min(1), z.object({ role: z.string().optional(), content: z.string().min(1) }), z.object({ prompt: z.string() })],
  "expected a prompt: a text, or a map with content or prompt",
);
const Conversations = z.array(z.array(Turn).min(1)).min(1);

/** @throws RangeError with one sentence: what is wrong with the file, and where in it */
export function readWorkloadFile(path: string): WorkloadFile {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new RangeError(code === "ENOENT" ? "no such file; paths are relative to the plan" : message);
  }
  if (bytes.length > MOST_BYTES) throw new RangeError(`is larger than ${MOST_BYTES >> 20} MiB; is it the right file?`);
  const text = decoded(bytes);
  if (text.trim() === "") throw new RangeError("is empty");
  return { sha256: createHash("sha256").update(bytes).digest("hex"), text };
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new RangeError(`line ${lineOfDamage(bytes)}: is not UTF-8; convert it`);
  }
}

/** Lines are cut at the byte 0x0a, which UTF-8 uses for nothing else. */
function lineOfDamage(bytes: Uint8Array): number {
  for (let line = 1, from = 0; from < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, from);
    const to = end < 0 ? bytes.length : end;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(from, to));
    } catch {
      return line;
    }
    from = to + 1;
  }
  return 1;
}

/**
 * The texts of a workload.
 *
 * @param text of its file, where it names one
 * @throws RangeError with one sentence: what is wrong with the file, and at which line or conversation
 */
export function itemsOf(workload: Workload, text: string | undefined): Items {
  if (workload.kind === "prompts" || workload.kind === "sustained")
    return { prompts: workload.prompts?.map((prompt) => ({ prompt })) ?? jsonLines(text, PromptLine) };
  if (workload.kind === "conversations") return { conversations: workload.conversations ?? conversations(text ?? "") };
  if (workload.kind === "choices") return { choices: jsonLines(text, ChoiceLine, right) };
  return {};
}

function jsonLines<S extends z.ZodType, T = z.infer<S>>(
  text: string | undefined,
  schema: S,
  convert: (value: z.infer<S>) => T = (value) => value as unknown as T,
): T[] {
  return (text ?? "").split("\n").flatMap((line, i): T[] => {
    if (line.trim() === "") return [];
    try {
      return [convert(checked(JSON.parse(line), schema))];
    } catch (cause) {
      throw new RangeError(`line ${i + 1}: ${cause instanceof RangeError ? cause.message : `is not JSON; expected one object per line`}`);
    }
  });
}

function checked<S extends z.ZodType>(value: unknown, schema: S): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new RangeError(`${path.map(String).join(".") || "the entry"}: ${message}`);
}

function right({ question, choices, answer }: z.infer<typeof ChoiceLine>): Choice {
  const isLetter = typeof answer === "string" && /^[A-Z]$/.test(answer) && !choices.includes(answer);
  const index = typeof answer === "number" ? answer : isLetter ? answer.charCodeAt(0) - 65 : choices.indexOf(answer);
  if (choices[index] === undefined)
    throw new RangeError(`answer: expected one of the choices, its letter, or its number from 0 to ${choices.length - 1}`);
  return { question, choices, answer: index };
}

function conversations(text: string): string[][] {
  const line = faultyLine(text);
  if (line !== undefined) throw new RangeError(`line ${line}: is not JSON; expected a list of conversations, each a list of prompts`);
  const result = Conversations.safeParse(JSON.parse(text));
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    const place = ["conversation", "turn"].flatMap((name, depth) => (depth in path ? [`${name} ${Number(path[depth]) + 1}`] : []));
    throw new RangeError(`${place.join(", ") || "the list"}: ${message}`);
  }
  return result.data.map((turns, i) => {
    const prompts = turns.flatMap((turn) => {
      if (typeof turn === "string") return [turn];
      if ("prompt" in turn) return [turn.prompt];
      return turn.role === undefined || turn.role === "user" ? [turn.content] : [];
    });
    if (prompts.length === 0) throw new RangeError(`conversation ${i + 1} has no prompt of a user`);
    return prompts;
  });
}
