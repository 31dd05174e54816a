/** Line icons of our own, drawn on a 24 px grid. Always decoration: the text or the label beside them says it. */
const PATHS = {
  info: "M12 8h.01M11 11.5h1V16h1M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z",
  check: "M8 12.5l2.7 2.7L16 9.5M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z",
  warning: "M12 9.5v4M12 16.5h.01M10.7 4.3 2.8 18a1.5 1.5 0 0 0 1.3 2.2h15.8a1.5 1.5 0 0 0 1.3-2.2L13.3 4.3a1.5 1.5 0 0 0-2.6 0Z",
  error: "M12 7.5v5M12 16h.01M8 3h8l5 5v8l-5 5H8l-5-5V8l5-5Z",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  eyeOff: "M4 4l16 16M9.5 5.9A8.7 8.7 0 0 1 12 5.5C18 5.5 21.5 12 21.5 12a16 16 0 0 1-3.2 3.9M6.2 7.6A16 16 0 0 0 2.5 12S6 18.5 12 18.5c1.4 0 2.6-.3 3.7-.8",
  desktop: "M4 4.5h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-10a1 1 0 0 1 1-1ZM9 20.5h6M12 16.5v4",
  clock: "M12 7v5l3 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z",
  lock: "M6 10.5h12a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-8a1 1 0 0 1 1-1ZM8 10.5V7.5a4 4 0 0 1 8 0v3",
  shield: "M12 3l7.5 2.8v5.4c0 4.7-3 8.3-7.5 9.8-4.5-1.5-7.5-5.1-7.5-9.8V5.8L12 3ZM8.7 12l2.3 2.3 4.3-4.6",
  link: "M4 17c2.2-6 13.8-6 16 0M4 20h16M8 13.5V20M16 13.5V20M12 12.5V20",
  logout: "M10 4H5.5A1.5 1.5 0 0 0 4 5.5v13A1.5 1.5 0 0 0 5.5 20H10M15.5 8l4 4-4 4M9.5 12h10",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.6-3.9 3.7-6 7.5-6s6.9 2.1 7.5 6",
  language: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3.5 12h17M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
  refresh: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.5v4.3h-4.3",
  print: "M7 9V4h10v5M7 17H4.5v-6.5A1.5 1.5 0 0 1 6 9h12a1.5 1.5 0 0 1 1.5 1.5V17H17M7 14h10v6H7v-6Z",
  display: "M4 5h16v11H4V5ZM9 20h6M8.5 10.5h7M13 8l2.5 2.5L13 13",
  clipboard: "M9 4.5H6.5A1.5 1.5 0 0 0 5 6v13a1.5 1.5 0 0 0 1.5 1.5h11A1.5 1.5 0 0 0 19 19V6a1.5 1.5 0 0 0-1.5-1.5H15M9 3.5h6v3H9v-3ZM8.5 11.5h7M8.5 15.5h5",
  keys: "M3.5 6.5h17a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-17a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1ZM6 10h.01M9 10h.01M12 10h.01M15 10h.01M18 10h.01M8 14h8",
  type: "M5 6.5V5h14v1.5M12 5v14M9.5 19h5",
  softKeyboard: "M4 4.5h16v9H4v-9ZM7 7.5h.01M10 7.5h.01M13 7.5h.01M16 7.5h.01M8.5 10.5h7M9.5 17l2.5 3 2.5-3",
  fullscreen: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  exitFullscreen: "M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5",
  line: "M4 18.5v-3M9.3 18.5v-6.5M14.7 18.5v-10M20 18.5V5",
  help: "M9.5 9.5a2.6 2.6 0 1 1 3.8 2.3c-.9.5-1.3 1-1.3 2.2M12 17h.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z",
  leave: "M12 3.5v8M7.5 6.5a7.5 7.5 0 1 0 9 0",
  chevronDown: "M6 9.5l6 6 6-6",
  chevronUp: "M6 14.5l6-6 6 6",
  chevronLeft: "M14.5 6l-6 6 6 6",
  close: "M6 6l12 12M18 6 6 18",
  send: "M4 12 20 4.5 15 20l-3.5-6.5L4 12ZM11.5 13.5 20 4.5",
  plug: "M9 3.5v4M15 3.5v4M6.5 7.5h11v4a5.5 5.5 0 0 1-11 0v-4ZM12 17v3.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
