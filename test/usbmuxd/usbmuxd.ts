import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { message, type Plist, type Request, RequestReader } from "./messages.ts";

/** Numbers of usbmuxd's results. */
const OK = 0;
const BAD_COMMAND = 1;
const BAD_DEVICE = 2;
const CONNECTION_REFUSED = 3;

interface Device {
  readonly id: number;
  readonly udid: string;
  /** Ports of the phone on which an app listens, and the ports of this host that stand for them. */
  readonly ports: Map<number, number>;
}

/**
 * Stands for usbmuxd, which needs Apple's USB devices: the same messages on a unix socket, for clients such as iproxy.
 *
 * Its devices are lists of ports. Pairing is of no interest to whom only connects; no record is ever there.
 */
export class Usbmuxd {
  /** For the environment of clients. */
  readonly address: string;
  readonly #server: Server;
  readonly #devices = new Map<string, Device>();
  readonly #sockets = new Set<Socket>();
  readonly #listeners = new Set<Socket>();
  /** Sockets of the streams to each device. */
  readonly #streams = new Map<string, Set<Socket>>();
  #attached = 0;

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.address = `UNIX:${path}`;
    server.on("connection", (socket) => this.#serve(socket));
  }

  static async start(folder: string): Promise<Usbmuxd> {
    const server = createServer({ allowHalfOpen: true });
    const path = join(folder, "usbmuxd");
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
    return new Usbmuxd(server, path);
  }

  attach(udid: string, ports: Readonly<Record<number, number>>): void {
    const entries = Object.entries(ports).map(([port, host]) => [Number(port), host] as const);
    const device = { id: ++this.#attached, udid, ports: new Map(entries) };
    this.#devices.set(udid, device);
    for (const socket of this.#listeners) socket.write(message(0, attachedOf(device)));
  }

  /** Pulls the plug: every stream is cut, and clients that listen are told. */
  detach(udid: string): void {
    const device = this.#devices.get(udid)!;
    this.#devices.delete(udid);
    for (const socket of this.#streams.get(udid) ?? []) socket.destroy();
    for (const socket of this.#listeners) socket.write(message(0, { MessageType: "Detached", DeviceID: device.id }));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#keep(socket);
    const reader = new RequestReader();
    const read = (chunk: Buffer): void => {
      for (const request of reader.push(chunk)) this.#answer(socket, request, () => socket.off("data", read) && reader.rest());
    };
    socket.on("data", read);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket
      .on("error", () => socket.destroy())
      .once("close", () => {
        this.#sockets.delete(socket);
        this.#listeners.delete(socket);
      });
  }

  /** @param leave ends the talk in messages; @returns what came after it */
  #answer(socket: Socket, { tag, type, fields }: Request, leave: () => Buffer): void {
    const answer = (content: Plist): boolean => socket.write(message(tag, content));
    if (type === "ListDevices") answer({ DeviceList: [...this.#devices.values()].map(attachedOf) });
    else if (type === "ReadBUID") answer({ BUID: "00000000-0000-0000-0000-000000000000" });
    else if (type === "ReadPairRecord") answer(result(BAD_DEVICE));
    else if (type === "Connect") this.#connect(socket, { tag, type, fields }, leave);
    else if (type === "Listen") {
      answer(result(OK));
      this.#listeners.add(socket);
      for (const device of this.#devices.values()) socket.write(message(0, attachedOf(device)));
    } else answer(result(BAD_COMMAND));
  }

  #connect(socket: Socket, { tag, fields }: Request, leave: () => Buffer): void {
    const refuse = (number: number): boolean => socket.write(message(tag, result(number)));
    const device = [...this.#devices.values()].find(({ id }) => id === Number(fields.DeviceID));
    if (!device) return void refuse(BAD_DEVICE);
    const host = device.ports.get(swapped(Number(fields.PortNumber)));
    if (host === undefined) return void refuse(CONNECTION_REFUSED);
    const app = connect({ port: host, host: "127.0.0.1", allowHalfOpen: true });
    this.#keep(app);
    app.once("error", () => refuse(CONNECTION_REFUSED));
    app.once("connect", () => {
      app.write(leave());
      socket.write(message(tag, result(OK)));
      this.#join(device.udid, socket, app);
    });
  }

  #join(udid: string, socket: Socket, app: Socket): void {
    const streams = this.#streams.get(udid) ?? new Set();
    this.#streams.set(udid, streams);
    for (const [one, other] of [[socket, app] as const, [app, socket] as const]) {
      streams.add(one);
      one.pipe(other);
      one.once("close", () => {
        streams.delete(one);
        other.destroy();
      });
    }
  }
}

const result = (number: number): Plist => ({ MessageType: "Result", Number: number });

const attachedOf = ({ id, udid }: Device): Plist => ({
  MessageType: "Attached",
  DeviceID: id,
  Properties: { ConnectionSpeed: 480_000_000, ConnectionType: "USB", DeviceID: id, LocationID: id, ProductID: 0x12a8, SerialNumber: udid },
});

/** Ports are sent in network order within a little endian number. */
const swapped = (port: number): number => ((port & 0xff) << 8) | (port >> 8);
