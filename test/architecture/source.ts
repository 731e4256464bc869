import { parseAst } from "vitest/node";

/** One module named by another, however it is named: import, re-export, dynamic import, type in passing. */
export interface Import {
  /** As written; undefined when it is computed, which nobody can check. */
  readonly specifier: string | undefined;
  /** Erased by the compiler: nothing of it is there when the program runs. */
  readonly typeOnly: boolean;
  readonly line: number;
}

/** What a source file reaches for outside itself. */
export interface Source {
  readonly imports: readonly Import[];
  /** Uses of the time of day, chance, timers and the process, as `line: name`. */
  readonly impure: readonly string[];
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

/** Globals that make a function's result depend on more than its arguments. */
const IMPURE = new Set(["performance", "process", "setTimeout", "setInterval", "setImmediate", "fetch", "globalThis"]);

/** @throws SyntaxError naming `file` when the text is not TypeScript. */
export function readSource(file: string, text: string): Source {
  const imports: Import[] = [];
  const impure: string[] = [];
  const line = (node: Node): number => text.slice(0, node.start).split("\n").length;
  for (const node of nodes(parseAst(text, { lang: "ts", astType: "ts" }, file))) {
    if (node.type === "CallExpression" && name(node.callee) === "require") imports.push({ ...named(node, undefined), line: line(node) });
    const source = node.source;
    if (isNode(source)) imports.push({ ...named(node, source), line: line(node) });
    const use = impurity(node);
    if (use) impure.push(`${line(node)}: ${use}`);
  }
  return { imports, impure };
}

/** `node` is what names the module, `source` the expression that says which. */
function named(node: Node, source: Node | undefined): Omit<Import, "line"> {
  const value = source?.value;
  const typeOnly = node.importKind === "type" || node.exportKind === "type" || node.type === "TSImportType";
  return { specifier: typeof value === "string" ? value : undefined, typeOnly };
}

function impurity(node: Node): string | undefined {
  if (node.type === "NewExpression" && name(node.callee) === "Date" && (node.arguments as unknown[]).length === 0) return "new Date()";
  if (node.type === "CallExpression" && name(node.callee) === "Date") return "Date()";
  if (node.type === "MemberExpression") {
    const path = `${name(node.object)}.${name(node.property)}`;
    if (path === "Date.now" || path === "Math.random") return path;
    const object = name(node.object);
    return object !== undefined && IMPURE.has(object) ? path : undefined;
  }
  const called = node.type === "CallExpression" ? name(node.callee) : undefined;
  return called !== undefined && IMPURE.has(called) ? called : undefined;
}

const name = (node: unknown): string | undefined => (isNode(node) && node.type === "Identifier" ? (node.name as string) : undefined);

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value && "start" in value;

/** `root` and every node below it. */
function* nodes(root: unknown): Generator<Node> {
  if (Array.isArray(root)) {
    for (const item of root) yield* nodes(item);
    return;
  }
  if (!isNode(root)) return;
  yield root;
  for (const value of Object.values(root)) if (typeof value === "object") yield* nodes(value);
}
