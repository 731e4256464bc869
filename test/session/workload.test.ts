import { expect, test } from "vitest";
import type { Engine, EngineAnswer, EngineRequest } from "../../src/model/engine.ts";
import { CellPlan } from "../../src/rig/experiment.ts";
import { itemsOf } from "../../src/rig/items.ts";
import { EngineWorkload, type UnitStatement } from "../../src/session/workload.ts";

/** An engine that answers from a list, and writes down what it is asked. */
function bench(plan: object, answers: (request: EngineRequest) => EngineAnswer, file?: string) {
  const log: string[] = [];
  const asked: EngineRequest[] = [];
  const statements: UnitStatement[] = [];
  const controller = new AbortController();
  const engine: Engine = {
    load: async () => answers({ id: "load", limit_s: 0 }),
    ask: async (request) => {
      asked.push(request);
      log.push(request.id);
      return answers(request);
    },
    close: async () => void log.push("closed"),
  };
  const parsed = CellPlan.parse(plan);
  const items = itemsOf(parsed.workload, file);
  const context = {
    signal: controller.signal,
    state: (each: UnitStatement) => void statements.push(each),
    pause: async (duration_s: number) => void log.push(`${duration_s} s`),
  };
  return { workload: new EngineWorkload(engine, { plan: parsed, items }, context), log, asked, statements, controller };
}

const ok = (request: EngineRequest): EngineAnswer => ({ outcome: "ok", text: `re ${request.id}` });
const fixed = { kind: "fixed", prompt_tokens: 8, output_tokens: 4, count: 3 };

test("warm-up requests are those of the workload by names that are not counted, and every request but the first has its rest", async () => {
  const { workload, log, asked } = bench({ workload: fixed, warm_up: 4, pause_s: 2, limits: { request_s: 9 } }, ok);
  await workload.prepare();
  await workload.warmUp();
  const answered = await workload.work();
  await workload.close();
  const warm = ["warmup-1", "2 s", "warmup-2", "2 s", "warmup-3", "2 s", "warmup-4"];
  expect(log).toEqual([...warm, "2 s", "8in-1", "2 s", "8in-2", "2 s", "8in-3", "closed"]);
  expect(asked[3]).toEqual({ id: "warmup-4", promptTokens: 8, outputTokens: 4, ignoresEos: true, limit_s: 9 });
  expect(answered).toEqual([1, 2, 3].map((n) => ({ request: `8in-${n}`, outcome: "ok" })));
});

test("a warm-up of a conversation hands its answers on, and leaves nothing to the measured one", async () => {
  const { workload, asked } = bench({ workload: { kind: "conversations", conversations: [["a", "b"]] }, warm_up: 2 }, ok);
  await workload.warmUp();
  await workload.work();
  const texts = asked.map(({ prompt }) => (Array.isArray(prompt) ? prompt.map(({ content }) => content).join("|") : ""));
  expect(texts).toEqual(["a", "a|re warmup-1|b", "a", "a|re c1t1|b"]);
});

test("a model that does not load is told in the engine's words", async () => {
  const { workload } = bench({ workload: fixed }, () => ({ outcome: "oom", text: "", detail: "cannot allocate 5.2 GB" }));
  await expect(workload.prepare()).rejects.toMatchObject({
    kind: "config",
    message: "the engine: could not load its model (oom): cannot allocate 5.2 GB",
  });
});

test("failed requests are results", async () => {
  const answers = (request: EngineRequest): EngineAnswer =>
    request.promptTokens === 99 ? { outcome: "refused", text: "", detail: "too long" } : ok(request);
  const { workload } = bench({ workload: { kind: "context_sweep", prompt_tokens: [9, 99, 19] } }, answers);
  expect((await workload.work()).map(({ outcome, detail }) => [outcome, detail])).toEqual([
    ["ok", undefined],
    ["refused", "too long"],
    ["ok", undefined],
  ]);
});

test("questions are units that are right or wrong; what was not answered is wrong and no unit done", async () => {
  const file = ["A", "B", "A"].map((answer) => JSON.stringify({ question: "?", choices: ["x", "y"], answer })).join("\n");
  const answers = ({ id }: EngineRequest): EngineAnswer => (id === "q3" ? { outcome: "crash", text: "A" } : { outcome: "ok", text: "A" });
  const { workload, statements } = bench({ workload: { kind: "choices", file: "x.jsonl" } }, answers, file);
  expect((await workload.work()).map(({ correct }) => correct)).toEqual([1, 0, 0]);
  expect(statements).toEqual([
    { type: "unit_start", request: "q1", unit: "question" },
    { type: "unit_end", request: "q1", unit: "question", count: 1, correct: 1 },
    { type: "unit_start", request: "q2", unit: "question" },
    { type: "unit_end", request: "q2", unit: "question", count: 1, correct: 0 },
    { type: "unit_start", request: "q3", unit: "question" },
    { type: "unit_end", request: "q3", unit: "question", count: 0, correct: 0 },
  ]);
});

test("an interrupted workload asks nothing more", async () => {
  const { workload, log, controller } = bench({ workload: fixed }, (request) => {
    if (request.id === "8in-2") controller.abort();
    return ok(request);
  });
  expect(await workload.work()).toHaveLength(2);
  await workload.warmUp();
  expect(log).toEqual(["8in-1", "8in-2"]);
});
