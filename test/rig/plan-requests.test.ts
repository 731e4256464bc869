import { describe, expect, test } from "vitest";
import type { EngineAnswer } from "../../src/model/engine.ts";
import { itemsOf } from "../../src/rig/items.ts";
import { chosen, type PlannedRequest, plannedRequests, requestsOf } from "../../src/rig/requests.ts";
import { Workload } from "../../src/rig/workload.ts";

/** All requests of a workload. @param answer what the engine says to each */
function requests(given: unknown, { file, answer }: { file?: string; answer?: (asked: PlannedRequest) => EngineAnswer } = {}) {
  const workload = Workload.parse(given);
  const items = itemsOf(workload, file);
  const made: PlannedRequest[] = [];
  const generator = requestsOf(workload, items, 60);
  for (let next = generator.next(); !next.done; ) {
    made.push(next.value);
    next = generator.next(answer?.(next.value) ?? { outcome: "ok", text: `re ${next.value.request.id}` });
  }
  return { made: made.map(({ request }) => request), planned: plannedRequests(workload, items), units: made };
}

describe("requests of", () => {
  test("prompts: one each, with their names and lengths", () => {
    const file = '{"prompt":"a"}\n{"id":"sum","prompt":"b","output_tokens":7}\n';
    const { made, planned } = requests({ kind: "prompts", file: "x", output_tokens: 5 }, { file });
    expect(made).toEqual([
      { id: "p1", prompt: "a", outputTokens: 5, limit_s: 60 },
      { id: "sum", prompt: "b", outputTokens: 7, limit_s: 60 },
    ]);
    expect(planned).toBe(2);
  });

  test("a sustained run: its prompts again and again, by names of their own", () => {
    const { made, planned } = requests({ kind: "sustained", file: "x", count: 5 }, { file: '{"id":"a","prompt":"A"}\n{"prompt":"B"}\n' });
    expect(made.map(({ id, prompt }) => [id, prompt])).toEqual([
      ["a", "A"],
      ["p2", "B"],
      ["a#2", "A"],
      ["p4", "B"],
      ["a#3", "A"],
    ]);
    expect(planned).toBe(5);
  });

  test("conversations: every turn with the whole chat before it, on the tokens that are there", () => {
    const file = JSON.stringify([["hello", { role: "user", content: "and?" }], [{ prompt: "other" }]]);
    const { made, planned } = requests({ kind: "conversations", file: "x" }, { file });
    expect(made).toEqual([
      { id: "c1t1", prompt: [{ role: "user", content: "hello" }], reusesCache: true, limit_s: 60 },
      {
        id: "c1t2",
        prompt: [
          { role: "user", content: "hello" },
          { role: "assistant", content: "re c1t1" },
          { role: "user", content: "and?" },
        ],
        reusesCache: true,
        limit_s: 60,
      },
      { id: "c2t1", prompt: [{ role: "user", content: "other" }], reusesCache: true, limit_s: 60 },
    ]);
    expect(planned).toBe(3);
  });

  test("a conversation end with the turn that was refused, and the next one begins", () => {
    const answer = ({ request }: PlannedRequest): EngineAnswer => ({ outcome: request.id === "c1t1" ? "refused" : "ok", text: "" });
    const { made } = requests(
      {
        kind: "conversations",
        conversations: [
          ["a", "b", "c"],
          ["d", "e"],
        ],
      },
      { answer },
    );
    expect(made.map(({ id }) => id)).toEqual(["c1t1", "c2t1", "c2t2"]);
  });

  test("fixed lengths: so many of each, whatever the model would like", () => {
    const { made, planned } = requests({ kind: "fixed", prompt_tokens: 256, output_tokens: 64, count: 2 });
    expect(made).toEqual([1, 2].map((i) => ({ id: `256in-${i}`, promptTokens: 256, outputTokens: 64, ignoresEos: true, limit_s: 60 })));
    expect(planned).toBe(2);
  });

  test("a context sweep: on, although a length was too much", () => {
    const answer = ({ request }: PlannedRequest): EngineAnswer => ({ outcome: request.promptTokens! > 512 ? "oom" : "ok", text: "" });
    const { made, planned } = requests({ kind: "context_sweep", prompt_tokens: [128, 1024, 256], output_tokens: 1 }, { answer });
    expect(made.map(({ promptTokens }) => promptTokens)).toEqual([128, 1024, 256]);
    expect(planned).toBe(3);
  });

  test("a command: so many runs, whose units the engine states", () => {
    const { made, units } = requests({ kind: "command", argv: ["bench"], count: 2, unit: "image" });
    expect(made.map(({ id }) => id)).toEqual(["image-1", "image-2"]);
    expect(units.map(({ unit }) => unit)).toEqual([undefined, undefined]);
  });

  test("choices: questions with lettered answers, each judged", () => {
    const file = [
      '{"question":"2+2?","choices":["3","4"],"answer":"B"}',
      '{"question":"Sky?","choices":["blue","red"],"answer":"blue"}',
      '{"question":"n?","choices":["x","y","z"],"answer":2}',
    ];
    const { made, units, planned } = requests({ kind: "choices", file: "x" }, { file: file.join("\n") });
    expect(made[0]).toEqual({ id: "q1", prompt: "2+2?\nA. 3\nB. 4\nAnswer with the letter alone.\nAnswer:", outputTokens: 8, limit_s: 60 });
    expect(units.map(({ judge }) => ["A", "B", "C"].map((text) => judge!(text)))).toEqual([
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
    ]);
    expect([planned, units[0]!.unit]).toEqual([3, "question"]);
  });

  test("the device's own: none", () => expect(requests({ kind: "device" })).toMatchObject({ made: [], planned: undefined }));
});

test.each<[string, number | undefined]>([
  ["B", 1],
  [" (C) because", 2],
  ["The answer is B.", 1],
  ["**A**", 0],
  ["D", undefined],
  ["Because", undefined],
  ["", undefined],
  ["Green", 1],
  ["It's I who knows: C", 2],
])("an answer of %j names choice %s", (text, index) => expect(chosen(text, ["red", "green", "blue"])).toBe(index));
