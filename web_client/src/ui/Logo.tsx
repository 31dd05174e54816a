/** Our mark: an arched bridge. Same drawing as logo.svg, inline so that it follows the text colour of its place. */
export function Logo({ size = 32 }: { readonly size?: number }) {
  return (
    <svg className="logo" width={size} height={size} viewBox="0 0 48 48" aria-hidden="true" focusable="false">
      <rect className="logo-ground" width="48" height="48" rx="11" />
      <g className="logo-bridge">
        <path d="M7 25c8-11.5 26-11.5 34 0" />
        <path d="M7 33h34" />
        <path d="M14 20v13M24 16.5v16.5M34 20v13" />
      </g>
    </svg>
  );
}
