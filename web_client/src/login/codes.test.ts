import { describe, expect, it } from "vitest";
import { groupSecret, svgImage, tidyRecovery, tidyTotp } from "./codes";

describe("codes people type", () => {
  it("takes full-width digits, blanks and hyphens out of a pasted code", () => {
    expect(tidyTotp(" 123 456 ")).toBe("123456");
    expect(tidyTotp("１２３－４５６")).toBe("123456");
    expect(tidyTotp("12345")).toBeNull();
    expect(tidyTotp("1234567")).toBeNull();
    expect(tidyTotp("12345a")).toBeNull();
  });
  it("keeps a recovery code but for blanks and width", () => {
    expect(tidyRecovery(" ＡＢ12-CD34 ")).toBe("AB12-CD34");
    expect(tidyRecovery("   ")).toBeNull();
  });
  it("groups the key by four", () => {
    expect(groupSecret("JBSWY3DPEHPK3PXP")).toBe("JBSW Y3DP EHPK 3PXP");
    expect(groupSecret("JBSWY")).toBe("JBSW Y");
  });
  it("hands an SVG to an image, escaped as a whole", () => {
    const address = svgImage('<svg onload="alert(1)"/>');
    expect(address.startsWith("data:image/svg+xml;")).toBe(true);
    expect(address).not.toContain("<");
    expect(address).not.toContain('"');
  });
});
