/** Pure: a PDF file that came as base64 inside a JSON answer. */

export function pdfBlob(base64: string): Blob {
  const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
  return new Blob([bytes], { type: "application/pdf" });
}
