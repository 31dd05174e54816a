import { describe, expect, it } from "vitest";
import { Channel, type RawSocket } from "./channel";

class WireEnd implements RawSocket {
  binaryType: BinaryType = "blob";
  protocol = "binary";
  readyState: 0 | 1 | 2 | 3 = 1;
  onopen: RawSocket["onopen"] = null;
  onmessage: RawSocket["onmessage"] = null;
  onclose: RawSocket["onclose"] = null;
  onerror: RawSocket["onerror"] = null;
  sent: number[][] = [];
  closed = 0;
  send(message: string | Blob | BufferSource): void {
    expect(message).toBeInstanceOf(Uint8Array);
    this.sent.push([...(message as Uint8Array)]);
  }
  close(): void {
    this.closed += 1;
    this.readyState = 2;
  }
  receive(...bytes: number[]): void {
    this.onmessage?.call(this as unknown as WebSocket, { data: Uint8Array.from(bytes).buffer } as MessageEvent);
  }
}

function open() {
  const socket = new WireEnd();
  const channel = new Channel(socket);
  let inputs = 0;
  channel.onInput = () => {
    inputs += 1;
  };
  return { socket, channel, inputs: () => inputs };
}

describe("Channel", () => {
  it("has every name noVNC looks for", () => {
    const { channel } = open();
    const names = [...Object.keys(channel), ...Object.getOwnPropertyNames(Object.getPrototypeOf(channel))];
    for (const name of ["send", "close", "binaryType", "onerror", "onmessage", "onopen", "protocol", "readyState"]) {
      expect(names).toContain(name);
    }
  });

  it("passes bytes on unchanged and counts them", () => {
    const { socket, channel } = open();
    const got: number[][] = [];
    channel.onmessage = (event) => got.push([...new Uint8Array(event.data as ArrayBuffer)]);
    socket.receive(1, 2, 3);
    socket.receive(4);
    channel.send(Uint8Array.of(9, 8));
    expect(got).toEqual([[1, 2, 3], [4]]);
    expect(channel.bytesIn).toBe(4);
    expect(socket.sent).toEqual([[9, 8]]);
  });

  it("sees keys and pointer as input, requests for pictures not", () => {
    const { channel, inputs } = open();
    channel.send(Uint8Array.of(3, 1, 0, 0, 0, 0, 0, 10, 0, 10));
    channel.send(Uint8Array.of(248, 0, 0, 0));
    expect(inputs()).toBe(0);
    channel.send(Uint8Array.of(4, 1, 0, 0, 0, 0, 0, 0x61));
    channel.send(Uint8Array.of(5, 0, 0, 1, 0, 2));
    channel.send(Uint8Array.of(255, 0, 0, 1, 0, 0, 0, 0x61, 0, 0, 0, 30));
    expect(inputs()).toBe(3);
  });

  it("nudges with the last position and buttons, as a six-byte event", () => {
    const { socket, channel } = open();
    channel.nudge({ x: 640, y: 400 });
    expect(socket.sent.at(-1)).toEqual([5, 0, 2, 128, 1, 144]);
    channel.send(Uint8Array.of(5, 0x81, 0, 7, 0, 9, 1));
    channel.nudge({ x: 640, y: 400 });
    expect(socket.sent.at(-1)).toEqual([5, 1, 0, 7, 0, 9]);
  });

  it("tells both sides at once when the line is dropped, and only once", () => {
    const { socket, channel } = open();
    const ends: number[] = [];
    channel.onEnd = (end) => ends.push(end.code);
    channel.onclose = (end) => ends.push(end.code);
    channel.drop();
    socket.onclose?.call(socket as unknown as WebSocket, { code: 1000, reason: "" } as CloseEvent);
    expect(ends).toEqual([1006, 1006]);
    expect(socket.closed).toBe(1);
    expect(channel.readyState).toBe(3);
    channel.nudge({ x: 1, y: 1 });
    expect(socket.sent).toEqual([]);
  });

  it("notices clipboard text that leaves in the Latin-1 form", () => {
    const { channel } = open();
    let legacy = 0;
    channel.onLegacyCutText = () => {
      legacy += 1;
    };
    channel.send(Uint8Array.of(6, 0, 0, 0, 0xff, 0xff, 0xff, 0xf8, 1, 0, 0, 1));
    expect(legacy).toBe(0);
    channel.send(Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 1, 0x3f));
    expect(legacy).toBe(1);
  });
});
