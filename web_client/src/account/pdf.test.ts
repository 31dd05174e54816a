import { describe, expect, it } from "vitest";
import { pdfBlob } from "./pdf";

describe("a PDF out of an answer", () => {
  it("keeps every byte", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, value) => value);
    const blob = pdfBlob(btoa(String.fromCharCode(...bytes)));
    expect(blob.type).toBe("application/pdf");
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(bytes);
  });
});
