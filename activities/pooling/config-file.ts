import { randomUUID } from 'node:crypto';
import { chmod, chown, open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import { Failure } from '../../domain/failure.ts';
import { inTurn } from './file-lock.ts';
import { quoteAlias, quoteValue, type Address } from './alias-text.ts';

/** A `key = value` of an alias's line, with the place of its value so that everything else stays as it is, byte for byte. */
interface Pair {
  readonly key: string;
  readonly value: string;
  readonly from: number;
  readonly to: number;
}

interface AliasLine {
  readonly name: string;
  /** Index into the lines of the file. */
  readonly line: number;
  /** Where the connection string begins in the line. */
  readonly from: number;
}

const sectionPattern = /^\s*\[([^\]]*)\]\s*$/;
const aliasPattern = /^\s*(?:"((?:[^"]|"")*)"|([^\s="]+))\s*=\s*/;

/** The alias's address, or undefined when the file has no such alias. */
export async function readAlias(configFile: string, alias: string): Promise<Address | undefined> {
  return (await readAliases(configFile)).get(alias);
}

/** Every alias of the `[databases]` section; `*` is left out. PgBouncer's own defaults: port 5432, dbname = alias. */
export async function readAliases(configFile: string): Promise<Map<string, Address>> {
  const lines = (await read(configFile)).split('\n');
  const named = aliasLines(lines).filter((one) => one.name !== '*');
  return new Map(named.map((one) => [one.name, addressOf(one.name, pairsOf(lines[one.line] ?? '', one.from, configFile))]));
}

/**
 * Makes the alias point to `address`; everything else in the file, and the other keys of its line, stay byte for byte. The file
 * is replaced at once (write, chown, chmod, rename), so PgBouncer never reads half of it. Several runs may change aliases of one
 * file: each waits its turn. Writing the same twice is harmless.
 * Throws `pooler-failed` when there is no such alias.
 */
export async function writeAlias(configFile: string, alias: string, address: Address): Promise<void> {
  await edit(configFile, (lines) => {
    const found = aliasLines(lines).filter((one) => one.name === alias);
    const [only] = found;
    if (!only || found.length > 1) {
      throw new Failure('pooler-failed', `${configFile} has ${found.length} aliases "${alias}" in [databases], not one`, {
        configFile,
        alias,
      });
    }
    lines[only.line] = repointed(lines[only.line] ?? '', only.from, address, configFile);
  });
}

/** Adds an alias with the other keys of the line of `like`, right below it. An alias of that name is overwritten: it is ours. */
export async function addAlias(configFile: string, alias: string, like: string, address: Address): Promise<void> {
  await edit(configFile, (lines) => {
    const model = aliasLines(lines).find((one) => one.name === like);
    if (!model) throw new Failure('pooler-failed', `${configFile} has no alias "${like}" in [databases]`, { configFile, alias: like });
    const rest = (lines[model.line] ?? '').slice(model.from);
    const added = repointed(`${quoteAlias(alias)} = ${rest}`, quoteAlias(alias).length + 3, address, configFile);
    const old = aliasLines(lines).find((one) => one.name === alias);
    if (old) lines[old.line] = added;
    else lines.splice(model.line + 1, 0, added);
  });
}

/** Takes the alias out of the file. Without it nothing is written. */
export async function dropAlias(configFile: string, alias: string): Promise<void> {
  if (!(await readAliases(configFile)).has(alias)) return;
  await edit(configFile, (lines) => {
    for (const one of aliasLines(lines).reverse()) if (one.name === alias) lines.splice(one.line, 1);
  });
}

function repointed(line: string, from: number, address: Address, configFile: string): string {
  const wanted: Record<string, string> = { host: quoteValue(address.host), port: String(address.port), dbname: quoteValue(address.dbname) };
  const pairs = pairsOf(line, from, configFile);
  let text = line;
  for (const pair of [...pairs].reverse()) {
    const value = wanted[pair.key];
    if (value !== undefined) text = text.slice(0, pair.from) + value + text.slice(pair.to);
  }
  const missing = Object.entries(wanted).filter(([key]) => !pairs.some((pair) => pair.key === key));
  if (missing.length === 0) return text;
  const end = text.endsWith('\r') ? text.length - 1 : text.length;
  const head = text.slice(0, end);
  const space = head.length === from || /\s$/.test(head) ? '' : ' ';
  return head + space + missing.map(([key, value]) => `${key}=${value}`).join(' ') + text.slice(end);
}

function addressOf(alias: string, pairs: readonly Pair[]): Address {
  const value = (key: string): string | undefined => pairs.findLast((pair) => pair.key === key)?.value;
  return { host: value('host') ?? '', port: Number(value('port') ?? 5432), dbname: value('dbname') ?? alias };
}

function aliasLines(lines: readonly string[]): AliasLine[] {
  const found: AliasLine[] = [];
  let section = '';
  lines.forEach((text, line) => {
    if (/^\s*[;#]/.test(text)) return;
    section = sectionPattern.exec(text)?.[1]?.trim().toLowerCase() ?? section;
    const match = section === 'databases' ? aliasPattern.exec(text) : null;
    if (match) found.push({ name: match[1]?.replaceAll('""', '"') ?? match[2] ?? '', line, from: match[0].length });
  });
  return found;
}

/** Values as PgBouncer reads them: bare up to the next space, or in single quotes with '' for one. */
function pairsOf(line: string, from: number, configFile: string): Pair[] {
  const pattern = /\s*([A-Za-z_]+)\s*=\s*('(?:[^']|'')*'|[^\s']\S*|)/y;
  const pairs: Pair[] = [];
  pattern.lastIndex = from;
  while (line.slice(pattern.lastIndex).trim() !== '') {
    const match = pattern.exec(line);
    // The line may hold a password, so only the file is named.
    if (!match)
      throw new Failure('pooler-failed', `a line of [databases] in ${configFile} cannot be read as key=value pairs`, { configFile });
    const raw = match[2] ?? '';
    const value = raw.startsWith("'") ? raw.slice(1, -1).replaceAll("''", "'") : raw;
    pairs.push({ key: (match[1] ?? '').toLowerCase(), value, from: pattern.lastIndex - raw.length, to: pattern.lastIndex });
  }
  return pairs;
}

/** Nobody else reads between this read and this write. */
async function edit(configFile: string, change: (lines: string[]) => void): Promise<void> {
  // A link stays a link: the file behind it is locked and replaced.
  const real = await realpath(configFile).catch((error: unknown) => {
    throw unreadable(configFile, error);
  });
  await inTurn(real, async (stillMine) => {
    const text = await read(configFile);
    const lines = text.split('\n');
    change(lines);
    const changed = lines.join('\n');
    if (changed !== text) await replaceFile(configFile, real, changed, stillMine);
  });
}

function unreadable(configFile: string, cause: unknown): Failure {
  return new Failure('pooler-failed', `the pooler’s file ${configFile} cannot be read by this worker`, { configFile }, cause);
}

async function read(configFile: string): Promise<string> {
  try {
    return await readFile(configFile, 'utf8');
  } catch (error) {
    throw unreadable(configFile, error);
  }
}

async function replaceFile(configFile: string, real: string, text: string, stillMine: () => Promise<void>): Promise<void> {
  const beside = `${real}.steadyhand-${randomUUID()}`;
  try {
    const { mode, uid, gid } = await stat(real);
    const file = await open(beside, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await chown(beside, uid, gid);
    await chmod(beside, mode & 0o7777);
    await stillMine();
    await rename(beside, real);
  } catch (error) {
    await unlink(beside).catch(() => undefined);
    if (error instanceof Failure) throw error;
    throw new Failure('pooler-failed', `the pooler’s file ${configFile} cannot be written by this worker`, { configFile }, error);
  }
}
