/**
 * Name, time and session number over the picture. Deters photographs; cannot prevent them. Re-drawn when somebody
 * removes, hides or covers it, and when that does not help the picture is hidden. Must not catch clicks or keys.
 * A modified browser can do without it: that is why the gateway, not this file, keeps what leaves the desktop.
 */

const TILE_WIDTH = 360;
const TILE_HEIGHT = 220;
const ALPHA = 0.13;
const CHECK_MS = 1_000;
const REDRAW_MS = 15_000;

/** What the layer must look like, computed. Set as important, so that a style sheet alone cannot undo it. */
const STYLE: Readonly<Record<string, string>> = {
  position: "absolute",
  left: "0px",
  top: "0px",
  width: "100%",
  height: "100%",
  display: "block",
  visibility: "visible",
  opacity: "1",
  "z-index": "5",
  "pointer-events": "none",
  transform: "none",
  "clip-path": "none",
  filter: "none",
  "mask-image": "none",
};
const CHECKED = ["position", "display", "visibility", "opacity", "z-index", "pointer-events", "transform", "clip-path", "filter", "mask-image"];

export class Watermark {
  readonly #stage: HTMLElement;
  readonly #lines: () => readonly string[];
  readonly #onBlocked: (blocked: boolean) => void;
  #layer: HTMLCanvasElement | null = null;
  #observer: MutationObserver | null = null;
  #resize: ResizeObserver | null = null;
  #timer = 0;
  #drawnAt = 0;
  #blocked = false;

  /**
   * @param stage element that holds the picture; must be positioned.
   * @param lines what to write, asked again at every drawing.
   * @param onBlocked told when the layer cannot be kept visible, and when it can again.
   */
  constructor(stage: HTMLElement, lines: () => readonly string[], onBlocked: (blocked: boolean) => void) {
    this.#stage = stage;
    this.#lines = lines;
    this.#onBlocked = onBlocked;
  }

  start(): void {
    this.#assert();
    this.#resize = new ResizeObserver(() => this.#draw());
    this.#resize.observe(this.#stage);
    this.#timer = window.setInterval(() => {
      this.#assert();
      if (Date.now() - this.#drawnAt > REDRAW_MS) {
        this.#draw();
      }
    }, CHECK_MS);
  }

  stop(): void {
    this.#observer?.disconnect();
    this.#resize?.disconnect();
    window.clearInterval(this.#timer);
    this.#layer?.remove();
    this.#layer = null;
  }

  /** Puts a new layer in place unless the present one is as it should be. */
  #assert(): void {
    if (!this.#stage.isConnected) {
      return;
    }
    if (!this.#intact()) {
      this.#replace();
    }
    const blocked = !this.#intact();
    if (blocked !== this.#blocked) {
      this.#blocked = blocked;
      this.#onBlocked(blocked);
    }
  }

  #intact(): boolean {
    const layer = this.#layer;
    if (layer === null || layer.parentNode !== this.#stage || layer.hidden) {
      return false;
    }
    const style = getComputedStyle(layer);
    if (CHECKED.some((name) => style.getPropertyValue(name) !== STYLE[name])) {
      return false;
    }
    const stage = this.#stage.getBoundingClientRect();
    const box = layer.getBoundingClientRect();
    return Math.abs(stage.width - box.width) < 4 && Math.abs(stage.height - box.height) < 4;
  }

  #replace(): void {
    this.#observer?.disconnect();
    this.#layer?.remove();
    const layer = document.createElement("canvas");
    layer.className = "watermark";
    layer.setAttribute("aria-hidden", "true");
    layer.dataset["testid"] = "viewer-watermark";
    for (const [name, value] of Object.entries(STYLE)) {
      layer.style.setProperty(name, value, "important");
    }
    this.#stage.append(layer);
    this.#layer = layer;
    this.#draw();
    this.#watch(layer);
  }

  #watch(layer: HTMLElement): void {
    // A removal or an attribute is seen at once; a style sheet or a covering element at the next timer check.
    this.#observer = new MutationObserver(() => this.#assert());
    this.#observer.observe(this.#stage, { childList: true });
    this.#observer.observe(layer, { attributes: true });
  }

  #draw(): void {
    const layer = this.#layer;
    if (layer === null) {
      return;
    }
    const { width, height } = this.#stage.getBoundingClientRect();
    layer.width = Math.max(1, Math.round(width));
    layer.height = Math.max(1, Math.round(height));
    const context = layer.getContext("2d");
    if (context === null) {
      return;
    }
    this.#drawnAt = Date.now();
    drawTiles(context, this.#lines(), layer.width, layer.height);
    // Setting the size is a change of attributes: those of our own hand are no alarm.
    this.#observer?.takeRecords();
  }
}

function drawTiles(context: CanvasRenderingContext2D, lines: readonly string[], width: number, height: number): void {
  context.font = '16px "Noto Sans JP", "Noto Sans CJK JP", "Hiragino Sans", Meiryo, sans-serif';
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let row = 0; row * TILE_HEIGHT < height + TILE_HEIGHT; row += 1) {
    for (let column = 0; column * TILE_WIDTH < width + TILE_WIDTH; column += 1) {
      const shift = row % 2 === 0 ? 0 : TILE_WIDTH / 2;
      context.save();
      context.translate(column * TILE_WIDTH + TILE_WIDTH / 2 - shift, row * TILE_HEIGHT + TILE_HEIGHT / 2);
      context.rotate(-Math.PI / 9);
      lines.forEach((line, index) => drawLine(context, line, (index - (lines.length - 1) / 2) * 24));
      context.restore();
    }
  }
}

/** Dark text with a light twin one pixel aside reads on white and on black pictures alike. */
function drawLine(context: CanvasRenderingContext2D, line: string, y: number): void {
  context.fillStyle = `rgba(255, 255, 255, ${ALPHA})`;
  context.fillText(line, 1, y + 1);
  context.fillStyle = `rgba(0, 0, 0, ${ALPHA})`;
  context.fillText(line, 0, y);
}
