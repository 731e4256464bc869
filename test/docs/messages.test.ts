import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { named, rowsOf } from "./pages.ts";

const source = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(`src/${name}`, "utf8"))
  .join("\n")
  .replaceAll('\\"', '"');

const messages = rowsOf("docs/troubleshooting.md").map(({ cells }) => named(cells[0]!)[0]!);

test.each(messages)("the program can say: %s", (message) => {
  const parts = message.split("…").map((part) => part.trim());
  expect(Math.max(...parts.map((part) => part.length)), "says enough to be recognised").toBeGreaterThan(8);
  expect(parts.filter((each) => each.length > 4 && !source.includes(each))).toEqual([]);
});
