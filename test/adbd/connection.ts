import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { isSignedBy, keyOf } from "./authentication.ts";
import { DeviceStream } from "./device-stream.ts";
import { encode, MAX_PAYLOAD, type Packet, PacketCutter } from "./packet.ts";

const VERSION = 0x01000001;
const AUTH = { token: 1, signature: 2, key: 3 };

/** What a connection asks of its device. */
export interface Host {
  readonly banner: string;
  /** Keys that are let in; undefined where everybody is. */
  readonly keys: Set<string> | undefined;
  /** Shows a key on the screen: resolves when its owner accepts it. */
  ask(key: string): Promise<void>;
  /** Serves a stream, or returns false when the service is not known. */
  serve(service: string, stream: DeviceStream): boolean;
}

/** One connection of an adb server to the device. */
export class Connection {
  readonly #socket: Socket;
  readonly #host: Host;
  readonly #streams = new Map<number, DeviceStream>();
  readonly #token = randomBytes(20);
  #nextId = 1;
  #isLetIn = false;

  constructor(socket: Socket, host: Host) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    const cutter = new PacketCutter();
    socket.on("data", (chunk: Buffer) => {
      for (const packet of cutter.push(chunk)) this.#take(packet);
    });
    socket.once("close", () => {
      for (const stream of this.#streams.values()) stream.gone();
      this.#streams.clear();
    });
  }

  /** Ends it without a word, as a pulled cable does. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  freeze(): void {
    this.#socket.pause();
  }

  thaw(): void {
    this.#socket.resume();
  }

  #send(packet: Buffer): void {
    if (this.#socket.writable) this.#socket.write(packet);
  }

  #take({ command, arg0, arg1, payload }: Packet): void {
    if (command === "CNXN") this.#greet();
    else if (command === "AUTH") this.#authenticate(arg0, payload);
    else if (!this.#isLetIn) this.reset();
    else if (command === "OPEN") this.#open(arg0, payload);
    else this.#relay({ command, arg0, arg1, payload });
  }

  #greet(): void {
    if (this.#host.keys) this.#send(encode("AUTH", AUTH.token, 0, this.#token));
    else this.#letIn();
  }

  #authenticate(type: number, payload: Buffer): void {
    const keys = this.#host.keys ?? new Set();
    if (type === AUTH.signature) {
      if ([...keys].some((key) => isSignedBy(keyOf(key), this.#token, payload))) this.#letIn();
      else this.#send(encode("AUTH", AUTH.token, 0, this.#token));
    } else if (type === AUTH.key) {
      const key = payload.toString("utf8");
      void this.#host.ask(key).then(() => this.#letIn());
    }
  }

  #letIn(): void {
    this.#isLetIn = true;
    this.#send(encode("CNXN", VERSION, MAX_PAYLOAD, Buffer.from(this.#host.banner)));
  }

  #open(remote: number, payload: Buffer): void {
    const id = this.#nextId++;
    const service = payload.toString("utf8").replace(/\0$/, "");
    const stream = new DeviceStream((packet) => this.#send(packet), id, remote);
    this.#streams.set(id, stream);
    if (!this.#host.serve(service, stream)) {
      this.#streams.delete(id);
      this.#send(encode("CLSE", 0, remote));
    }
  }

  #relay({ command, arg0: remote, arg1: id, payload }: Packet): void {
    const stream = this.#streams.get(id);
    if (command === "OKAY") stream?.acknowledged();
    else if (command === "WRTE" && stream) void stream.received(payload);
    else if (command === "WRTE") this.#send(encode("CLSE", 0, remote));
    else if (command === "CLSE" && stream) {
      this.#streams.delete(id);
      if (!stream.isOver) this.#send(encode("CLSE", id, remote));
      stream.gone();
    }
  }
}
