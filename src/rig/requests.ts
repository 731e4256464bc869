import type { ChatMessage, EngineAnswer, EngineRequest } from "../model/engine.ts";
import type { Choice, Items } from "./items.ts";
import type { Workload } from "./workload.ts";

/** A request with what it counts as. */
export interface PlannedRequest {
  readonly request: EngineRequest;
  /** What one such request is a unit of, where the engine does not say so itself. */
  readonly unit?: string;
  /** 1 for a right answer, 0 for a wrong one. Absent where answers are not judged. */
  readonly judge?: (text: string) => number;
}

/** Requests in their order; each answer is handed in before the next request is made, since a turn of a chat needs it. */
export type Requests = Generator<PlannedRequest, void, EngineAnswer>;

/** @param limit_s every request is given up after this long */
export function requestsOf(workload: Workload, items: Items, limit_s: number): Requests {
  switch (workload.kind) {
    case "device":
      return none();
    case "prompts":
    case "sustained":
      return prompts(workload, items, limit_s);
    case "conversations":
      return turns(items.conversations ?? [], workload.output_tokens, limit_s);
    case "fixed":
      return lengths(Array<number>(workload.count).fill(workload.prompt_tokens), workload.output_tokens, limit_s);
    case "context_sweep":
      return lengths(workload.prompt_tokens, workload.output_tokens, limit_s);
    case "command":
      return runs(workload.count, workload.unit, limit_s);
    case "choices":
      return questions(items.choices ?? [], workload.output_tokens, limit_s);
  }
}

/** An answer that did not come is what is looked for: how long a context may be, how many answers are right. */
export const failuresAreResults = ({ kind }: Workload): boolean => kind === "context_sweep" || kind === "choices";

/** Requests a whole cell makes; undefined where a device or a command decides. */
export function plannedRequests(workload: Workload, items: Items): number | undefined {
  if (workload.kind === "prompts") return items.prompts?.length;
  if (workload.kind === "sustained" || workload.kind === "fixed") return workload.count;
  if (workload.kind === "conversations") return items.conversations?.reduce((sum, each) => sum + each.length, 0);
  if (workload.kind === "context_sweep") return workload.prompt_tokens.length;
  if (workload.kind === "choices") return items.choices?.length;
  return undefined;
}

function* none(): Requests {}

function* prompts(workload: Extract<Workload, { kind: "prompts" | "sustained" }>, items: Items, limit_s: number): Requests {
  const given = items.prompts ?? [];
  const count = workload.kind === "sustained" && given.length > 0 ? workload.count : given.length;
  for (let i = 0; i < count; i++) {
    const { id, prompt, output_tokens = workload.output_tokens } = given[i % given.length]!;
    const round = Math.floor(i / given.length);
    const name = id === undefined ? `p${i + 1}` : round === 0 ? id : `${id}#${round + 1}`;
    yield { request: { id: name, prompt, ...outputLimit(output_tokens), limit_s } };
  }
}

/** A conversation whose turn did not end well ends there: what follows would answer another chat. */
function* turns(conversations: readonly (readonly string[])[], output_tokens: number | undefined, limit_s: number): Requests {
  for (const [c, conversation] of conversations.entries()) {
    const chat: ChatMessage[] = [];
    for (const [t, content] of conversation.entries()) {
      chat.push({ role: "user", content });
      const request = { id: `c${c + 1}t${t + 1}`, prompt: [...chat], ...outputLimit(output_tokens), reusesCache: true, limit_s };
      const answer = yield { request };
      if (answer.outcome !== "ok") break;
      chat.push({ role: "assistant", content: answer.text });
    }
  }
}

function* lengths(promptTokens: readonly number[], outputTokens: number, limit_s: number): Requests {
  for (const [i, tokens] of promptTokens.entries())
    yield { request: { id: `${tokens}in-${i + 1}`, promptTokens: tokens, outputTokens, ignoresEos: true, limit_s } };
}

/** The engine states their units itself: it alone knows how many a run does. */
function* runs(count: number, unit: string, limit_s: number): Requests {
  for (let i = 1; i <= count; i++) yield { request: { id: `${unit}-${i}`, limit_s } };
}

function* questions(choices: readonly Choice[], outputTokens: number, limit_s: number): Requests {
  for (const [i, choice] of choices.entries())
    yield {
      request: { id: `q${i + 1}`, prompt: asked(choice), outputTokens, limit_s },
      unit: "question",
      judge: (text) => (chosen(text, choice.choices) === choice.answer ? 1 : 0),
    };
}

const letter = (index: number): string => String.fromCharCode(65 + index);

const asked = ({ question, choices }: Choice): string =>
  [question, ...choices.map((each, i) => `${letter(i)}. ${each}`), "Answer with the letter alone.", "Answer:"].join("\n");

/** Index of the choice an answer names: by its first letter that stands alone, else by its whole text. */
export function chosen(text: string, choices: readonly string[]): number | undefined {
  const letters = [...text.matchAll(/(?<![\p{L}\p{N}'])([A-Z])(?![\p{L}\p{N}'])/gu)].map((match) => match[1]!.charCodeAt(0) - 65);
  const first = letters.find((index) => index < choices.length);
  if (first !== undefined) return first;
  const whole = choices.findIndex((each) => each.trim().toLowerCase() === text.trim().toLowerCase());
  return whole < 0 ? undefined : whole;
}

const outputLimit = (outputTokens: number | undefined): { outputTokens?: number } => (outputTokens === undefined ? {} : { outputTokens });
