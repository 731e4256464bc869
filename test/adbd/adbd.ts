import { once } from "node:events";
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { Connection, type Host } from "./connection.ts";
import type { DeviceStream } from "./device-stream.ts";
import { serveBytes, serveShell } from "./shell.ts";
import { serveSync } from "./sync.ts";
import type { Userland } from "./userland.ts";

/** The daemon of a phone: takes connections of adb servers on a loopback port. */
export class Adbd implements Host {
  readonly banner: string;
  readonly keys: Set<string> | undefined;
  /** Keys that wait for the owner's finger, with what lets them in. */
  readonly waiting = new Map<string, () => void>();
  /** Ports in the network at which somebody else answers. */
  hasTaken: ReadonlySet<number> = new Set();
  /** How long it takes to listen in the network once it has said that it will; connections are refused until then. */
  listensAfter_ms = 0;
  readonly #userland: Userland;
  /** With the port that each came in by. */
  readonly #connections = new Map<Connection, number>();
  /** By port: that of its start, standing for the cable, and that of `tcpip:`. */
  readonly #servers = new Map<number, Server>();
  #isFrozen = false;
  #remote: (() => void)[] = [];

  constructor(userland: Userland, banner: string, asksForKeys: boolean) {
    this.#userland = userland;
    this.banner = banner;
    this.keys = asksForKeys ? new Set() : undefined;
  }

  /** @param port 0 for any. @returns the port */
  async listen(port: number): Promise<number> {
    let taken = port;
    const server = createServer((socket) => this.#take(socket, taken)).listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address === "object" && address) taken = address.port;
    this.#servers.set(taken, server);
    return taken;
  }

  get ports(): number[] {
    return [...this.#servers.keys()];
  }

  /** Resets every connection, or those by one port; who connects again is let in. */
  dropTransports(port?: number): void {
    for (const [connection, by] of this.#connections) {
      if (port !== undefined && by !== port) continue;
      this.#connections.delete(connection);
      connection.reset();
    }
  }

  /** As above, and nobody listens any more there. */
  async unlisten(port?: number): Promise<void> {
    const servers = [...this.#servers].filter(([each]) => port === undefined || each === port);
    for (const [each, server] of servers) {
      this.#servers.delete(each);
      const closed = once(server, "close");
      server.close();
      this.dropTransports(each);
      await closed;
    }
  }

  /** Connections stay and are silent; new ones are taken and not answered. */
  freeze(): void {
    this.#isFrozen = true;
    for (const connection of this.#connections.keys()) connection.freeze();
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const connection of this.#connections.keys()) connection.thaw();
  }

  ask(key: string): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.set(key, () => {
        this.keys?.add(key);
        this.waiting.delete(key);
        resolve();
      });
    });
  }

  serve(service: string, stream: DeviceStream): boolean {
    const [name = "", rest = ""] = split(service);
    if (/^shell,v2\b/.test(name) && this.banner.includes("shell_v2")) serveShell(this.#userland, rest, stream);
    else if (name === "shell" || name === "exec") serveBytes(this.#userland, rest, stream);
    else if (name === "sync") void serveSync(this.#userland.root, stream);
    else if (name === "tcp") serveTcp(Number(rest), stream);
    else if (name === "tcpip" || name === "usb") this.#restart(name, Number(rest), stream);
    else return false;
    return true;
  }

  #take(socket: Socket, port: number): void {
    const connection = new Connection(socket, this);
    this.#connections.set(connection, port);
    socket.once("close", () => this.#connections.delete(connection));
    if (this.#isFrozen) connection.freeze();
  }

  /** adbd says what it is about to do, then starts anew: every connection is lost. */
  #restart(mode: "tcpip" | "usb", port: number, stream: DeviceStream): void {
    stream.accept();
    const said = mode === "tcpip" ? `restarting in TCP mode port: ${port}\n` : "restarting in USB mode\n";
    void (async () => {
      await stream.write(Buffer.from(said));
      await stream.end();
      for (const close of this.#remote.splice(0)) close();
      if (mode === "tcpip" && !this.hasTaken.has(port)) {
        setTimeout(() => void this.listen(port), this.listensAfter_ms);
        this.#remote.push(() => void this.unlisten(port));
      }
      setImmediate(() => this.dropTransports());
    })();
  }
}

function split(service: string): [string, string] {
  const colon = service.indexOf(":");
  return [service.slice(0, colon), service.slice(colon + 1)];
}

/** A port of the device's loopback interface, which is this machine's. */
function serveTcp(port: number, stream: DeviceStream): void {
  const socket = connectTcp({ host: "127.0.0.1", port, allowHalfOpen: false });
  socket.once("connect", () => {
    stream.accept();
    stream.onData = (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve()));
    socket.on("data", (bytes: Buffer) => {
      socket.pause();
      void stream.write(bytes).then(() => socket.resume());
    });
  });
  socket.on("error", () => undefined);
  socket.once("close", () => void stream.end());
  stream.onGone = () => socket.destroy();
}
