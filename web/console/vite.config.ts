import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const here = dirname(fileURLToPath(import.meta.url));
const server = process.env.PARLEY_SERVER ?? "http://127.0.0.1:8000";

/** The page at `/docs`: Swagger UI's own files beside our index, all from our origin and without inline script. */
function docs(): Plugin {
  const swagger = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  const files = [
    join(here, "docs/index.html"),
    join(here, "docs/docs.js"),
    join(here, "docs/docs.css"),
    join(swagger, "swagger-ui.css"),
    join(swagger, "swagger-ui-bundle.js"),
  ];
  return {
    name: "parley-docs",
    apply: "build",
    generateBundle() {
      for (const file of files) {
        this.emitFile({ type: "asset", fileName: `docs/${file.split(/[\\/]/).pop()}`, source: readFileSync(file) });
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte(), docs()],
  build: {
    outDir: "../static",
    emptyOutDir: true,
    // The policy of the pages is default-src 'self': nothing may become a data: address or an inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      "/api": server,
      "/sign-in": server,
      "/openapi.json": server,
      "/socket.io": { target: server, ws: true },
    },
  },
  test: {
    include: ["tests/**/*.test.ts"],
    environment: "node",
  },
});
