// `node deploy/write-bundle.ts <file>`: the workflow bundle, built ahead for an image: `steadyhand worker --bundle <file>`.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bundleWorkflows } from '../worker/bundle.ts';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node deploy/write-bundle.ts <file>');

const { code } = await bundleWorkflows();
await mkdir(dirname(file), { recursive: true });
await writeFile(file, code);
console.log(`wrote ${file}, ${(code.length / 1e6).toFixed(1)} MB`);
