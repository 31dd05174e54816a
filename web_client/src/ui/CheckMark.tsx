/** The visible box of a check box; its state comes from the attributes React Aria sets on the parent. */
export function CheckMark() {
  return (
    <span className="checkbox-box" aria-hidden="true">
      <svg width="16" height="16" viewBox="0 0 16 16" focusable="false">
        <path d="M3 8.5l3.2 3.2L13 5" />
      </svg>
    </span>
  );
}
