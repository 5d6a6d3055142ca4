// `npm run lock`, after every `npm install`. It does two things, and doing them twice is harmless.
// - Where a registry lacks a package for a foreign platform, npm leaves it out of the lockfile, and `npm ci` then refuses the
//   lockfile. This adds a stub for each optional package that is missing; later installs keep it.
// - It removes what packages say about the Node.js that they need. `npm ci` holds that against the Node.js that npm itself runs on,
//   but the packages run on the Node.js 24 that is one of them. On Node.js 20 it printed a warning for each, and on some versions
//   it left out optional packages that work. `npm install` has checked the same ranges before, against its own Node.js.
import { readFileSync, writeFileSync } from 'node:fs';

interface LockedPackage {
  engines?: Readonly<Record<string, string>>;
  readonly version?: string;
  readonly optional?: boolean;
  readonly dev?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lockfile {
  packages: Record<string, LockedPackage>;
}

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];

const file = new URL('../package-lock.json', import.meta.url);
// npm writes this file; its form is documented for lockfileVersion 3.
const before = readFileSync(file, 'utf8');
const lock = JSON.parse(before) as Lockfile;
const missing = missingOf(lock.packages);

for (const { path, stub } of missing) lock.packages[path] = stub;
// The first entry is this project's own.
for (const [path, entry] of Object.entries(lock.packages)) if (path !== '') delete entry.engines;
if (missing.length > 0) lock.packages = sorted(lock.packages);
const text = `${JSON.stringify(lock, null, 2)}\n`;
if (text === before) console.log('The lockfile is complete.');
else {
  writeFileSync(file, text);
  console.log(`Completed the lockfile; ${missing.length} packages of other platforms were missing.`);
}

/** The optional packages that some package asks for and that the lockfile has nowhere on its way up. */
function missingOf(packages: Lockfile['packages']): { path: string; stub: LockedPackage }[] {
  return Object.entries(packages).flatMap(([parent, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => !waysUp(parent).some((folder) => packages[`${folder}node_modules/${name}`]))
      .map(([name, version]) => ({ path: `node_modules/${name}`, stub: stubOf(name, version, entry.dev ?? false) })),
  );
}

/** `node_modules/a/node_modules/b` → the folders in which Node looks for what b imports, with a slash behind each. */
function waysUp(parent: string): string[] {
  if (parent === '') return [''];
  const up = parent.lastIndexOf('/node_modules/');
  return [`${parent}/`, ...waysUp(up < 0 ? '' : parent.slice(0, up))];
}

function stubOf(name: string, version: string, dev: boolean): LockedPackage {
  const words = name.split(/[/-]/);
  const os = words.filter((word) => systems.includes(word));
  const cpu = words.filter((word) => processors.includes(word));
  if (os.length !== 1 || cpu.length !== 1 || !/^\d/.test(version)) {
    throw new Error(`cannot tell for which platform ${name}@${version} is; add it to the lockfile by hand`);
  }
  const libc = words.some((word) => word.startsWith('musl')) ? ['musl'] : words.some((word) => word.startsWith('gnu')) ? ['glibc'] : [];
  return { version, cpu, ...(dev ? { dev } : {}), ...(os[0] === 'linux' && libc.length > 0 ? { libc } : {}), optional: true, os };
}

/** In the order that npm itself keeps. */
function sorted(packages: Lockfile['packages']): Lockfile['packages'] {
  return Object.fromEntries(Object.entries(packages).toSorted(([a], [b]) => a.localeCompare(b, 'en')));
}
