import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { childrenOf } from "../sshd/processes.ts";
import type { DeviceStream } from "./device-stream.ts";
import type { Userland } from "./userland.ts";

/** Packets of the shell protocol: id, length, data. */
const ID = { stdin: 0, stdout: 1, stderr: 2, exit: 3, closeStdin: 4 };
const HEADER_BYTES = 5;

const frame = (id: number, data: Buffer): Buffer => {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = id;
  header.writeUInt32LE(data.length, 1);
  return Buffer.concat([header, data]);
};

/** `shell,v2,raw:`: output, complaints and exit code apart. */
export function serveShell(userland: Userland, command: string, stream: DeviceStream): void {
  const child = start(userland, command, stream);
  forward(child, "stdout", (bytes) => stream.write(frame(ID.stdout, bytes)));
  forward(child, "stderr", (bytes) => stream.write(frame(ID.stderr, bytes)));
  let held = Buffer.alloc(0);
  stream.onData = async (bytes) => {
    held = Buffer.concat([held, bytes]);
    while (held.length >= HEADER_BYTES) {
      const length = held.readUInt32LE(1);
      if (held.length < HEADER_BYTES + length) return;
      const [id, data] = [held[0], held.subarray(HEADER_BYTES, HEADER_BYTES + length)];
      held = held.subarray(HEADER_BYTES + length);
      if (id === ID.stdin) await feed(child, data);
      else if (id === ID.closeStdin) child.stdin.end();
    }
  };
  // As adbd does it: the exit code comes once nobody holds the output any more, and 128 + n stands for signal n.
  child.once("close", (code, signal) => {
    void stream.write(frame(ID.exit, Buffer.from([code ?? 128 + signalNumber(signal)]))).then(() => stream.end());
  });
}

/** `shell:` and `exec:`: bytes, no exit code; `shell:` mixes complaints in. */
export function serveBytes(userland: Userland, command: string, stream: DeviceStream): void {
  const child = start(userland, command, stream);
  forward(child, "stdout", (bytes) => stream.write(bytes));
  forward(child, "stderr", (bytes) => stream.write(bytes));
  stream.onData = (bytes) => feed(child, bytes);
  child.once("close", () => void stream.end());
}

function start(userland: Userland, command: string, stream: DeviceStream): ChildProcessWithoutNullStreams {
  const child = userland.spawn(command);
  child.stdin.on("error", () => undefined);
  stream.onGone = () => {
    // The shell, and only it, is told; who ignores that finds its output closed.
    for (const pid of childrenOf(child.pid!)) userland.signal(pid, "SIGHUP");
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
  };
  stream.accept();
  return child;
}

function forward(child: ChildProcessWithoutNullStreams, name: "stdout" | "stderr", write: (bytes: Buffer) => Promise<void>): void {
  const pipe = child[name];
  pipe.on("error", () => undefined);
  pipe.on("data", (bytes: Buffer) => {
    pipe.pause();
    void write(bytes).then(() => pipe.resume());
  });
}

/** Resolves when the command's pipe has taken it, so that a command which does not read stops its writer. */
function feed(child: ChildProcessWithoutNullStreams, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => child.stdin.write(bytes, () => resolve()));
}

function signalNumber(name: NodeJS.Signals | null): number {
  const known: Partial<Record<NodeJS.Signals, number>> = {
    SIGHUP: 1,
    SIGINT: 2,
    SIGABRT: 6,
    SIGKILL: 9,
    SIGSEGV: 11,
    SIGPIPE: 13,
    SIGTERM: 15,
  };
  return (name && known[name]) ?? 0;
}
