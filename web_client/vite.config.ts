/**
 * Build of the browser side. Everything ends up as hashed files under /assets/, nothing inline:
 * the gateway sends a Content-Security-Policy without 'unsafe-inline' and without data: fonts or styles.
 */
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "/",
  build: {
    outDir: "dist",
    assetsDir: "assets",
    // A data: URL is an inline copy: the icon and every picture stay files of their own.
    assetsInlineLimit: 0,
    // The polyfill would be an inline script; every browser we support knows modulepreload.
    modulePreload: { polyfill: false },
    target: ["chrome107", "firefox104", "safari16"],
    sourcemap: false,
    chunkSizeWarningLimit: 600,
  },
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    environment: "node",
  },
});
