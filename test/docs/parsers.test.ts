import { describe, expect, test } from "vitest";
import { parsers } from "../../src/parsers/index.ts";
import { parseStatement } from "../../src/parsers/statement.ts";
import { examplesOf, rowsBelow } from "./pages.ts";

const PAGE = "docs/parsers.md";
const examples = examplesOf(PAGE);

test("the table has every kind, in the order of the list, and no other", () => {
  const kinds = rowsBelow(PAGE, "The kinds").map(([kind]) => kind!.replaceAll("`", ""));
  expect([...new Set(kinds)]).toEqual(parsers.map(({ kind }) => kind));
});

describe("every line shown is read by its parser", () => {
  const shown = examples.filter(({ info }) => info.startsWith("text "));

  test("there are some", () => {
    expect(shown.length).toBeGreaterThan(3);
  });

  test.each(shown.flatMap(({ info, text }) => text.split("\n").map((line) => [info.replace("text ", ""), line] as const)))(
    "%s: %s",
    (kind, line) => {
      const parser = parsers.find((each) => each.kind === kind)!.open();
      expect(parser.push(line, 20e9)).toBeDefined();
    },
  );
});

test("every statement shown is understood", () => {
  const lines = examples.filter(({ info }) => info === "jsonl statements").flatMap(({ text }) => text.split("\n"));
  expect(lines.map((line) => parseStatement(line, 0)?.type)).toEqual(["begin", "end", "load", "load"]);
});
