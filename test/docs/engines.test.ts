import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { engines } from "../../src/engines/index.ts";

const page = readFileSync("docs/engines.md", "utf8");
const examples = [...page.matchAll(/```yaml engine\n(.*?)```/gs)].map(([, text = ""]) => parse(text) as { kind: string });

test("every engine has an example, and its options are the engine's", () => {
  expect(examples.map(({ kind }) => kind).sort()).toEqual(engines.map(({ kind }) => kind).sort());
  for (const { kind, ...options } of examples) {
    const engine = engines.find((each) => each.kind === kind);
    expect(engine?.options.safeParse(options).error?.issues ?? [], kind).toEqual([]);
  }
});

test("every option says what it is", () => {
  for (const { kind, options } of engines) {
    for (const [name, schema] of Object.entries(options.shape)) expect(schema.description, `${kind}.${name}`).toMatch(/\w/);
  }
});
