/** Pure: tidying of codes people type. Full-width digits, spaces and hyphens are how codes get copied from paper. */

/** Six digits out of what was typed or pasted, or null when it cannot be a code. */
export function tidyTotp(typed: string): string | null {
  const digits = typed.normalize("NFKC").replace(/[\s\-‐‑–—ー]/g, "");
  return /^\d{6}$/.test(digits) ? digits : null;
}

/** A recovery code as the gateway compares it is the gateway's business; here only width and blanks go. */
export function tidyRecovery(typed: string): string | null {
  const code = typed.normalize("NFKC").trim().replace(/\s+/g, "");
  return code === "" ? null : code;
}

/** The typed key in groups of four: easier to read aloud and to copy. */
export function groupSecret(secret: string): string {
  return secret.replace(/\s+/g, "").match(/.{1,4}/g)?.join(" ") ?? "";
}

/** An SVG document as an image address: shown by <img>, so nothing inside it can run. */
export function svgImage(svg: string): string {
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
}
