import type { HostNs } from "../model/clock.ts";
import type { EngineAnswer, EngineContext, EngineRequest } from "../model/engine.ts";

/** How a request reaches the engine: over HTTP, as a process of its own, or as a benchmark of given lengths. */
export type RequestForm = "completion" | "chat" | "process" | "bench";

/** States that a request is about to go out. @returns the stamp of the statement: nothing of the request happened before */
export function stateBegin(context: EngineContext, request: EngineRequest, form: RequestForm, more: object = {}): HostNs {
  const { id, promptTokens: prompt_tokens, outputTokens: output_tokens } = request;
  return context.say(JSON.stringify({ request: id, begin: form, prompt_tokens, output_tokens, ...more }));
}

/** States how a request ended, and hands its answer on. */
export function stateEnd(context: EngineContext, request: EngineRequest, answer: EngineAnswer): EngineAnswer {
  context.say(JSON.stringify({ request: request.id, end: answer.outcome, detail: answer.detail }));
  return answer;
}

/** States a request that was never asked: the engine had died of an earlier one, and does not come up again for this one. */
export function stateNeverUp(context: EngineContext, request: EngineRequest, form: RequestForm, failed: EngineAnswer): EngineAnswer {
  const { outcome, detail = "it does not say why" } = failed;
  stateBegin(context, request, form);
  return stateEnd(context, request, { outcome, text: "", detail: `it had ended, and started anew it did not come up: ${detail}` });
}

/** States that a model is being made resident, and that it is; a load that fails has no end. */
export async function stateLoad(context: EngineContext, model: string, make: () => Promise<EngineAnswer>): Promise<EngineAnswer> {
  context.say(JSON.stringify({ load: "begin", model }));
  const answer = await make();
  if (answer.outcome === "ok") context.say(JSON.stringify({ load: "end", model }));
  return answer;
}
