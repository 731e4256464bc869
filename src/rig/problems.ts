import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { JoulebenchError } from "../model/errors.ts";
import { inWords, typeInWords } from "./wording.ts";

/** One thing wrong with a file: where, and what was expected there. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** A YAML document that remembers on which line each of its values stands. */
export interface Source {
  readonly value: unknown;
  lineOf(path: readonly PropertyKey[]): number;
}

/** @throws JoulebenchError `config` with every syntax error and its line. */
export function parseYaml(text: string, path: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const errors = [...document.errors.map((error) => ({ at: error.pos[0], message: error.message })), ...danglingAliases(document)];
  if (errors.length > 0)
    throw failure(
      path,
      // One slip may be noticed in several places.
      [...new Set(errors.map(({ at, message }) => `line ${lines.linePos(at).line}: ${message}`))],
    );
  const lineOf = (keys: readonly PropertyKey[]): number => {
    for (let depth = keys.length; depth > 0; depth--) {
      const parent = document.getIn(keys.slice(0, depth - 1), true);
      const key = keys[depth - 1];
      const pair = isMap(parent) ? parent.items.find((each) => isScalar(each.key) && each.key.value === key) : undefined;
      const node = (pair?.key ?? document.getIn(keys.slice(0, depth), true)) as Node | undefined;
      if (node?.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  return { value: plain(document, path), lineOf };
}

/** The document without anchors; one that would unfold beyond all measure is refused. */
function plain(document: Document, path: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw failure(path, [`line 1: ${cause instanceof Error ? cause.message : cause}`]);
  }
}

/** Aliases without their anchor, which the parser only notices when it resolves them. */
function danglingAliases(document: Document): { at: number; message: string }[] {
  const found: { at: number; message: string }[] = [];
  visit(document, {
    Alias: (_, alias) => {
      if (!alias.resolve(document))
        found.push({
          at: alias.range?.[0] ?? 0,
          message: `*${alias.source} refers to no &${alias.source} before it; quote a text that begins with *`,
        });
    },
  });
  return found;
}

/** What zod found, in the words of somebody editing the file. */
export function problemsOf(error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => ({ path: [...issue.path, key], message: "unknown key; is it misspelt?" }));
    if (issue.code === "invalid_type" && issue.input === undefined)
      return [{ path: issue.path, message: `missing; expected ${typeInWords(issue.expected)}` }];
    return [{ path: issue.path, message: inWords(issue) }];
  });
}

/** One error for all problems of a file, in the order of its lines. */
export function problemError(path: string, source: Source, problems: readonly Problem[]): JoulebenchError {
  const lines = problems
    .map((each) => ({ line: source.lineOf(each.path), text: `${each.path.map(String).join(".") || "the file"}: ${each.message}` }))
    .sort((a, b) => a.line - b.line);
  return failure(
    path,
    lines.map(({ line, text }) => `line ${line}: ${text}`),
  );
}

const failure = (path: string, lines: readonly string[]): JoulebenchError =>
  new JoulebenchError(
    "config",
    path,
    `${lines.length} ${lines.length === 1 ? "problem" : "problems"}\n${lines.map((line) => `  ${line}`).join("\n")}`,
  );
