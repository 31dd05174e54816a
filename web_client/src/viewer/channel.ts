/**
 * A WebSocket as noVNC sees it, with three things added: it counts bytes, tells when real input goes out,
 * and can be dropped at once. Must not change a byte.
 */

export interface ChannelEnd {
  readonly code: number;
  readonly reason: string;
}

/** What the channel needs of a WebSocket; the browser's own class fits. */
export type RawSocket = Pick<
  WebSocket,
  "send" | "close" | "binaryType" | "protocol" | "readyState" | "onopen" | "onmessage" | "onclose" | "onerror"
>;

// WebSocket.OPEN and WebSocket.CLOSED.
const OPEN = 1;
const CLOSED = 3;

// RFB client message types (RFC 6143 7.5, QEMU extension): the first byte of each message noVNC sends.
const KEY_EVENT = 4;
const POINTER_EVENT = 5;
const CLIENT_CUT_TEXT = 6;
const QEMU_MESSAGE = 255;

export class Channel {
  // noVNC looks for these names on the object before it takes a channel.
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent | ChannelEnd) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  binaryType: BinaryType = "arraybuffer";

  bytesIn = 0;
  lastMessageAt = 0;
  /** Called for each key or pointer event that leaves. */
  onInput: () => void = () => undefined;
  /** Called when text leaves in the old form that knows Latin-1 only. */
  onLegacyCutText: () => void = () => undefined;
  /** Called once, just before noVNC is told. */
  onEnd: (end: ChannelEnd) => void = () => undefined;

  readonly #socket: RawSocket;
  #ended = false;
  #pointer: Uint8Array | null = null;

  constructor(socket: RawSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = (event) => this.onopen?.(event);
    socket.onerror = (event) => this.onerror?.(event);
    socket.onmessage = (event: MessageEvent) => {
      if (event.data instanceof ArrayBuffer) {
        this.bytesIn += event.data.byteLength;
        this.lastMessageAt = performance.now();
        this.onmessage?.(event);
      }
    };
    socket.onclose = (event) => this.#end(event);
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  get readyState(): number {
    return this.#ended ? CLOSED : this.#socket.readyState;
  }

  send(message: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(message);
    this.#note(message);
  }

  close(): void {
    this.#socket.close();
  }

  /** The line is known to be dead: everybody is told now, not after the browser's own long time-out. */
  drop(): void {
    this.#socket.close();
    this.#end({ code: 1006, reason: "" });
  }

  /**
   * Sends the last pointer position once more: real input that changes nothing on the desktop.
   * @param middle position to use when the pointer has not been on the picture yet.
   */
  nudge(middle: { readonly x: number; readonly y: number }): void {
    if (this.readyState !== OPEN) {
      return;
    }
    this.send(this.#pointer?.slice() ?? pointerEvent(middle.x, middle.y));
  }

  #note(message: Uint8Array): void {
    const type = message[0];
    if (type === POINTER_EVENT) {
      // Without bit 7 the message has 6 bytes whatever the desktop supports.
      this.#pointer = Uint8Array.of(POINTER_EVENT, (message[1] ?? 0) & 0x7f, ...message.subarray(2, 6));
    }
    if (type === POINTER_EVENT || type === KEY_EVENT || (type === QEMU_MESSAGE && message[1] === 0)) {
      this.onInput();
    }
    if (type === CLIENT_CUT_TEXT && message.length >= 8 && ((message[4] ?? 0) & 0x80) === 0) {
      this.onLegacyCutText();
    }
  }

  #end(end: CloseEvent | ChannelEnd): void {
    if (this.#ended) {
      return;
    }
    this.#ended = true;
    this.#socket.onmessage = null;
    this.onEnd({ code: end.code, reason: end.reason });
    this.onclose?.(end);
  }
}

function pointerEvent(x: number, y: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(POINTER_EVENT, 0, (x >> 8) & 0xff, x & 0xff, (y >> 8) & 0xff, y & 0xff);
}
