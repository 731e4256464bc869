import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { pages, proseOf, textOf } from "./pages.ts";

test.each(pages)("links of %s lead to pages and headings that exist", (page) => {
  const broken = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!).filter((target) => !leads(page, target));
  expect(broken).toEqual([]);
});

test.each(pages)("files of this project that %s names exist", (page) => {
  const names = [...proseOf(page).matchAll(/`((?:docs|src|test|scripts|rigs|firmware-bridge)\/[\w./-]+\.\w+)`/g)].map((match) => match[1]!);
  // Examples of a user's own files are not ours.
  expect(names.filter((name) => !existsSync(name) && !existsSync(join(dirname(page), name)) && !/^rigs\/(?!virtual)/.test(name))).toEqual(
    [],
  );
});

test("every page below docs can be reached from the README", () => {
  const reached = new Set<string>();
  const visit = (page: string): void => {
    if (reached.has(page)) return;
    reached.add(page);
    for (const [, target = ""] of proseOf(page).matchAll(/\]\(([^)#\s]+\.md)/g)) visit(join(dirname(page), target));
  };
  visit("README.md");
  expect(pages.filter((page) => page.startsWith("docs/") && !reached.has(page))).toEqual([]);
});

function leads(page: string, target: string): boolean {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? page : join(dirname(page), path);
  return existsSync(file) && (anchor === undefined || anchorsOf(file).includes(anchor));
}

/** Anchors of a page's headings, as forges make them. */
const anchorsOf = (page: string): string[] =>
  [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
