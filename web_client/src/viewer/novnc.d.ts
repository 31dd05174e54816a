/** The part of noVNC 1.7's documented API that we use (the package ships no types). */
declare module "@novnc/novnc" {
  export interface RfbOptions {
    readonly shared?: boolean;
  }

  export interface RfbEvents {
    connect: CustomEvent<Record<string, never>>;
    disconnect: CustomEvent<{ readonly clean: boolean }>;
    securityfailure: CustomEvent<{ readonly status: number; readonly reason?: string }>;
    credentialsrequired: CustomEvent<{ readonly types: readonly string[] }>;
    clipboard: CustomEvent<{ readonly text: string }>;
    bell: CustomEvent<Record<string, never>>;
    desktopname: CustomEvent<{ readonly name: string }>;
  }

  export default class RFB {
    constructor(target: HTMLElement, channel: object, options?: RfbOptions);
    viewOnly: boolean;
    focusOnClick: boolean;
    scaleViewport: boolean;
    clipViewport: boolean;
    dragViewport: boolean;
    resizeSession: boolean;
    showDotCursor: boolean;
    background: string;
    qualityLevel: number;
    compressionLevel: number;
    disconnect(): void;
    focus(options?: FocusOptions): void;
    blur(): void;
    sendKey(keysym: number | null, code: string | null | undefined, down?: boolean): void;
    clipboardPasteFrom(text: string): void;
    addEventListener<K extends keyof RfbEvents>(type: K, listener: (event: RfbEvents[K]) => void): void;
  }
}
