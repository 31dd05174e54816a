/** The sign of a level: every one has its own outline, so that it can be told without its colour. Always decoration. */
import type { ShownLevel } from "./situation";

const OUTLINE: Record<ShownLevel, string> = {
  normal: "M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 0 0 0-19Z",
  alert: "M12 2.5 22.5 21h-21L12 2.5Z",
  first: "M12 1.5 22.5 12 12 22.5 1.5 12 12 1.5Z",
  second: "M7.5 2h9L22 7.5v9L16.5 22h-9L2 16.5v-9L7.5 2Z",
  recovery: "M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 0 0 0-19Z",
};

const INSIDE: Record<ShownLevel, string> = {
  normal: "M7.5 12.5l3 3 6-6.5",
  alert: "M12 9v5.5M12 17.6v.1",
  first: "M10 9.5l2.3-1.5v8.5",
  second: "M9.3 9.6a2.8 2.8 0 1 1 4.9 1.8L9.2 16.5h5.6",
  recovery: "M8 12a4 4 0 1 0 1.4-3M9 6.5V9.2h2.7",
};

export function LevelMark({ level, size = 28 }: { readonly level: ShownLevel; readonly size?: number }) {
  return (
    <svg className="level-mark" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path className="level-mark-outline" d={OUTLINE[level]} />
      <path className="level-mark-inside" d={INSIDE[level]} />
    </svg>
  );
}
