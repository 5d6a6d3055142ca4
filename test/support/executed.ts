/** A statement of a session that is named after a step, as the server wrote it down. */
export interface Executed {
  readonly step: string;
  readonly statement: string;
}

/** What does nothing by itself: it frames commands, sets the session up, or is PgBouncer's own between two clients. */
const frame = /^(BEGIN|COMMIT|ROLLBACK|SET |RESET |START TRANSACTION|DISCARD ALL|SAVEPOINT|RELEASE)/i;

/** The steps' statements in one database, out of a log with `log_statement = all`: of the sandbox's servers, or with AWS's longer prefix. */
export function executedIn(log: string, dbname: string): Executed[] {
  return log.split(/\n(?=\d{4}-\d\d-\d\d )/).flatMap((entry) => {
    const match = /[ :]steadyhand ([a-z][\w-]*)(?: \S+)?(?: \S+@\S+ )?LOG:\s+(?:statement|execute [^:]*): ([\s\S]*)$/.exec(entry);
    const [, named = '', statement = ''] = match ?? [];
    // The session that keeps the snapshot is the switch's.
    const step = named === 'snapshot' ? 'switch' : named;
    return match && step !== 'look' && (entry.includes(`@${dbname} `) || entry.includes(`@${dbname}:`)) && !frame.test(statement)
      ? [{ step, statement: statement.trim() }]
      : [];
  });
}

/** A command's text with each variable standing for any one value. */
export function patternOf(text: string): RegExp {
  const parts = text.split(/(?<!:):(?:'\w+'|"\w+"|[a-z]\w*)/);
  return new RegExp(
    `^${parts
      .map((part) =>
        part
          .trim()
          .replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
          .replaceAll(/\s+/g, String.raw`\s+`),
      )
      .join(String.raw`\s*[\s\S]*?\s*`)};?$`,
  );
}
