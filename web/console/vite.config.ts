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
  const files: Record<string, string> = {
    "index.html": join(here, "docs/index.html"),
    "docs.js": join(here, "docs/docs.js"),
    "docs.css": join(here, "docs/docs.css"),
    "swagger-ui.css": join(swagger, "swagger-ui.css"),
    "swagger-ui-bundle.js": join(swagger, "swagger-ui-bundle.js"),
    "swagger-ui-bundle.js.LICENSE.txt": join(swagger, "swagger-ui-bundle.js.LICENSE.txt"),
    "swagger-ui.LICENSE.txt": join(swagger, "LICENSE"),
    "swagger-ui.NOTICE.txt": join(swagger, "NOTICE"),
  };
  return {
    name: "parley-docs",
    apply: "build",
    generateBundle() {
      for (const [name, path] of Object.entries(files)) {
        this.emitFile({ type: "asset", fileName: `docs/${name}`, source: readFileSync(path) });
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
    // What the script is made of, and on what terms.
    license: { fileName: "licenses.txt" },
    reportCompressedSize: false,
    // On a slow machine each plugin takes seconds, and nobody who builds the console can change that.
    rolldownOptions: { checks: { bundlerTimings: false } },
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
