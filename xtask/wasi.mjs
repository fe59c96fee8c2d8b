#!/usr/bin/env -S node --no-warnings
// Runs a WASI program, as cargo's runner for tests of wasm32-wasip1: it sees the environment, and the workspace's files where they are.
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";

const args = process.argv.slice(2);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const wasi = new WASI({ version: "preview1", args, env: process.env, preopens: { [root]: root } });
const module = await WebAssembly.compile(await readFile(args[0]));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
