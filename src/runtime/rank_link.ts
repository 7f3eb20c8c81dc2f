// Messages between the coordinator and a rank of another process tree, over a socket: each is its length, then what
// `v8.serialize` makes of it, as Node's own channel between processes does.

import type { Socket } from "node:net";
import { deserialize, serialize } from "node:v8";

export interface Link<Sent, Heard> {
  send(message: Sent): void;
  /** Instead of whoever heard before. */
  onMessage(hear: (message: Heard) => void): void;
  /** Sends empty frames, so that the other end may watch. */
  beat(): void;
  /** Closes it when nothing came for so long: a network that is gone says nothing. */
  watch(silenceMs: number): void;
  readonly closed: Promise<void>;
  readonly socket: Socket;
}

const lengthBytes = 8;

/** Whoever watches the link hears as often. */
const beatMs = 2000;

export function linkOver<Sent, Heard>(socket: Socket): Link<Sent, Heard> {
  let hear: (message: Heard) => void = () => undefined;
  let chunks: Buffer[] = [];
  let held = 0;
  let heardMs = performance.now();
  const take = (): Buffer | undefined => {
    if (held < lengthBytes) return undefined;
    const all = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    if (all === undefined) return undefined;
    chunks = [all];
    const end = lengthBytes + Number(all.readBigUInt64LE());
    if (held < end) return undefined;
    chunks = [all.subarray(end)];
    held -= end;
    return all.subarray(lengthBytes, end);
  };
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    heardMs = performance.now();
    chunks.push(chunk);
    held += chunk.length;
    for (let frame = take(); frame !== undefined; frame = take()) {
      if (frame.length === 0) continue;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever is at the other end has the job's token
      hear(deserialize(frame) as Heard);
    }
  });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  // What is wrong with it shows in its end.
  socket.on("error", () => undefined);
  return {
    send(message) {
      const bytes = serialize(message);
      const length = Buffer.alloc(lengthBytes);
      length.writeBigUInt64LE(BigInt(bytes.length));
      socket.write(length);
      socket.write(bytes);
    },
    onMessage(next) {
      hear = next;
    },
    beat: () => every(socket, () => void socket.write(Buffer.alloc(lengthBytes))),
    watch(silenceMs) {
      const isSilent = (): boolean => performance.now() - heardMs > silenceMs;
      every(socket, () => {
        if (!isSilent()) return;
        // Where this thread was at work for long, what has come meanwhile is read first.
        setImmediate(() => setImmediate(() => isSilent() && socket.destroy()));
      });
    },
    closed,
    socket,
  };
}

/** For as long as the socket is open; keeps no process alive. */
function every(socket: Socket, work: () => void): void {
  const timer = setInterval(work, beatMs).unref();
  socket.once("close", () => clearInterval(timer));
}
