/** A statement in a server's log that removed rows, and when it began: the rows were there until then. */
export interface LoggedRemoval {
  /** ISO 8601 in UTC. */
  readonly at: string;
  readonly verb: 'DROP' | 'TRUNCATE' | 'DELETE';
  /** The first 200 characters, with blanks for what is between them. */
  readonly statement: string;
}

/** Time, zone, what else the prefix has of the session, level, text. */
const line = /^\s*(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?) ([A-Za-z]{1,5}|[+-]\d\d(?::?\d\d)?)\b(.*?)(LOG|STATEMENT):\s+([\s\S]*)$/;

const begun = /^(?:duration: [\d.]+ ms\s+)?(?:statement|execute [^:]*): ([\s\S]*)$/;

/**
 * Statements of a server's log that drop, empty or delete from the table, in the order of the log, without those that failed. The
 * log's lines begin with `%m` (or `%t`) of log_line_prefix in UTC or with an offset; a line of another time zone's name is passed
 * over, since nobody can tell which moment it means. It has them with log_statement = ddl (DROP; with mod also TRUNCATE and DELETE).
 * `schema` matters only where the statement names one. Whether its transaction was rolled back the log does not say.
 */
export function removalsIn(log: string, table: { readonly schema: string; readonly name: string }): LoggedRemoval[] {
  const found = new Set<LoggedRemoval>();
  const newest = new Map<string, LoggedRemoval>();
  // A statement's further lines begin with a tab.
  for (const entry of log.split(/\n(?!\t)/)) {
    const [, time = '', zone = '', prefix = '', level, text = ''] = line.exec(entry) ?? [];
    // What stands beside the process may be counted on from line to line.
    const session = /\[\d+\]/.exec(prefix)?.[0] ?? prefix;
    if (level === 'STATEMENT') {
      // It follows an error, and is the statement that had it.
      const failed = newest.get(session);
      if (failed?.statement === short(text)) found.delete(failed);
      continue;
    }
    const removal = removalOf(momentOf(time, zone), begun.exec(text)?.[1], table);
    if (!removal) continue;
    found.add(removal);
    newest.set(session, removal);
  }
  return [...found];
}

function removalOf(
  at: string | undefined,
  statement: string | undefined,
  table: { readonly schema: string; readonly name: string },
): LoggedRemoval | undefined {
  if (at === undefined || statement === undefined) return undefined;
  const bare = statement.replace(/--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g, ' ');
  const verb = /\b(drop\s+(?:table|schema)|truncate|delete\s+from)\b/i.exec(bare)?.[1]?.split(/\s/)[0]?.toUpperCase();
  if ((verb !== 'DROP' && verb !== 'TRUNCATE' && verb !== 'DELETE') || !names(bare, table)) return undefined;
  return { at, verb, statement: short(statement) };
}

const short = (statement: string): string => statement.replaceAll(/\s+/g, ' ').trim().slice(0, 200);

/** `2026-11-21 10:00:00.123 UTC` or `… +01` → ISO 8601 in UTC, with the fraction that was there. */
function momentOf(time: string, zone: string): string | undefined {
  const offset = /^(?:UTC|GMT|Z)$/i.test(zone) ? 'Z' : offsetOf(zone);
  if (offset === undefined) return undefined;
  const [whole = '', fraction] = time.replace(' ', 'T').split('.');
  const moment = new Date(`${whole}${offset}`);
  if (Number.isNaN(moment.getTime())) return undefined;
  return moment.toISOString().replace(/\.\d+Z$/, `${fraction === undefined ? '' : `.${fraction}`}Z`);
}

function offsetOf(zone: string): string | undefined {
  const [, sign, hours, minutes = '00'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  return sign === undefined || hours === undefined ? undefined : `${sign}${hours}:${minutes}`;
}

/** Whether the statement names the table, or drops the schema that it is in. */
function names(statement: string, { schema, name }: { readonly schema: string; readonly name: string }): boolean {
  // Unquoted names are lower case to the server, however they are written.
  const words = [...statement.matchAll(/"(?:[^"]|"")*"|[\w$\u0080-\uffff]+|[.;]/g)].map(([word]) =>
    word.startsWith('"') ? word : word.toLowerCase(),
  );
  const named = (word: string | undefined, as: string): boolean =>
    word === `"${as.replaceAll('"', '""')}"` || (word === as && /^[a-z_][a-z0-9_$]*$/.test(as));
  let inDropSchema = false;
  return words.some((word, index) => {
    if (word === 'schema' && words[index - 1] === 'drop') inDropSchema = true;
    else if (word === ';') inDropSchema = false;
    else if (inDropSchema && named(word, schema)) return true;
    return named(word, name) && (words[index - 1] !== '.' || named(words[index - 2], schema));
  });
}
