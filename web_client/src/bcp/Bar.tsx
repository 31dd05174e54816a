/** A bar that shows a share. Decoration: the words beside it say the figures. No inline style, our policy forbids it. */
export function Bar({ share, over = false }: { readonly share: number; readonly over?: boolean }) {
  const width = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    <svg
      className={`bar${over ? " bar-over" : share >= 0.9 ? " bar-full" : ""}`}
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <rect className="bar-ground" width="100" height="4" />
      <rect className="bar-value" width={width} height="4" />
    </svg>
  );
}
