import { posix } from "node:path";
import { readSource, type Source } from "./source.ts";

/** What the files of one folder of `src` may reach for. */
export interface Room {
  /** Rooms of ours. */
  readonly rooms: readonly string[];
  readonly packages: readonly string[];
  /** Packages whose types may be named, nothing else. */
  readonly types?: readonly string[];
  /** Modules of Node, all or by name; none when absent. */
  readonly node?: "all" | readonly string[];
  /** True where a result may depend on arguments alone: no time of day, no chance, no process. */
  readonly pure?: boolean;
}

const FILES = ["node:fs", "node:fs/promises", "node:path"];
const READERS: Room = { rooms: ["model", "wire"], packages: ["zod"], pure: true };
const PURE: Room = { rooms: ["model"], packages: [], pure: true };

/** Rooms below those that put things together. */
const PARTS: Readonly<Record<string, Room>> = {
  model: { rooms: [], packages: [], types: ["zod"], pure: true },
  // The text console is cut into lines by serialport's own parser, behind a byte bound.
  wire: { rooms: ["model"], packages: ["@serialport/parser-readline"], pure: true },
  ports: { rooms: ["model", "wire"], packages: ["serialport", "zod"], node: "all" },
  transports: { rooms: ["model", "wire"], packages: ["@yume-chan/adb", "@yume-chan/adb-server-node-tcp", "ssh2", "zod"], node: "all" },
  instruments: READERS,
  parsers: READERS,
  telemetry: READERS,
  engines: { rooms: ["model"], packages: ["zod"] },
  clock: PURE,
  windows: PURE,
  metrics: PURE,
  importers: { rooms: ["model", "wire", "parsers", "telemetry", "instruments"], packages: ["zod"], node: FILES },
  store: { rooms: ["model"], packages: ["hyparquet", "hyparquet-writer", "zod"], node: "all" },
  sinks: { rooms: ["model"], packages: ["influx", "express", "zod"], node: "all" },
  report: { rooms: ["model"], packages: [], node: "all" },
  // Its main programs are processes of their own; an emulator that imports the driver would prove nothing.
  simulate: { rooms: ["model", "wire"], packages: ["avr8js"], node: "all" },
};

/** Rooms that put things together, each allowed all parts and what stands before it here, with their packages. */
const COMPOSING: Readonly<Record<string, readonly string[]>> = {
  rig: ["yaml", "zod"],
  session: ["rxjs", "zod"],
  server: ["express", "zod"],
  cli: ["commander", "yaml", "zod"],
  main: ["commander"],
};

/** The import table of docs/architecture.md. `main` is `src/main.ts`. */
export const ROOMS: Readonly<Record<string, Room>> = {
  ...PARTS,
  ...Object.fromEntries(
    Object.entries(COMPOSING).map(([room, packages], at) => [
      room,
      { rooms: [...Object.keys(PARTS), ...Object.keys(COMPOSING).slice(0, at)], packages, node: "all" },
    ]),
  ),
};

/** The room of a path below `src`: its first folder, or the name of a file beside the folders. */
export const roomOf = (path: string): string => path.split("/")[0]!.replace(/\.ts$/, "");

/** Everything in `text`, the file `path` below `src`, that the table forbids: one sentence each. */
export function violations(path: string, text: string): string[] {
  const room = ROOMS[roomOf(path)];
  if (!room) return [`${path}: "${roomOf(path)}" is no room of docs/architecture.md`];
  const source: Source = readSource(path, text);
  const found = source.imports.flatMap(({ specifier, typeOnly, line }) => {
    const why = specifier === undefined ? "names a module that cannot be read off the source" : refusal(path, specifier, typeOnly);
    return why ? [`${path}:${line}: ${why}`] : [];
  });
  if (room.pure) found.push(...source.impure.map((use) => `${path}:${use} in a room whose results depend on arguments alone`));
  return found;
}

/** Why `path` may not import `specifier`; undefined when it may. */
function refusal(path: string, specifier: string, typeOnly: boolean): string | undefined {
  const from = roomOf(path);
  const room = ROOMS[from]!;
  if (specifier.startsWith("node:")) {
    return room.node === "all" || room.node?.includes(specifier) ? undefined : `${from} may not import ${specifier}`;
  }
  if (!specifier.startsWith(".")) {
    const allowed = room.packages.includes(specifier) || (typeOnly && room.types?.includes(specifier));
    return allowed ? undefined : `${from} may not import the package ${specifier}`;
  }
  const target = posix.join(posix.dirname(path), specifier);
  if (!target.endsWith(".ts") || target.startsWith("..")) return `${specifier} is no source file below src`;
  const to = roomOf(target);
  return to === from || room.rooms.includes(to) ? undefined : `${from} may not import ${to}`;
}
