import { Failure } from '../../../domain/failure.ts';
import { entryOf, type Rds } from './look.ts';

/** A plan is waited for by people: more than this is not read for it. */
const charactersAtMost = 32_000_000;

/** RDS begins every line so, whichever of its two values `log_line_prefix` has: `%t:%r:%u@%d:[%p]:`, or `%m` and more after it. */
const begins = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \w+:[^\n@]*@([^\n]*?):\[\d+\]:/;

/** The files of that time, the newest first, without the lines that are of other databases of the same server. */
export async function* readLog(rds: Rds, database: string, { from, to }: { from: Date; to: Date }): AsyncGenerator<string> {
  const { dbname } = rds.servers.entry(database).server;
  let left = charactersAtMost;
  for (const name of await filesOf(rds, database, from)) {
    if (beginsAfter(name, to)) continue;
    const text = await wholeFile(rds, database, name, left);
    if (text === undefined) throw tooLong(database);
    left -= text.length;
    yield linesOf(text, dbname);
  }
}

function tooLong(database: string): Failure {
  const text = `the log of ${database} of that time is longer than ${charactersAtMost / 1_000_000} million characters`;
  return new Failure('plan-impossible', `${text}: say about when it happened (before.about), or name the moment itself (moment)`, {
    database,
  });
}

async function filesOf(rds: Rds, database: string, from: Date): Promise<string[]> {
  const { region, instance } = entryOf(rds, database);
  const found: { name: string; written: number }[] = [];
  let marker: string | undefined;
  do {
    const input = { DBInstanceIdentifier: instance, FileLastWritten: from.getTime(), ...(marker === undefined ? {} : { Marker: marker }) };
    const page = await rds.aws.call(region, 'rds:DescribeDBLogFiles', input, instance);
    for (const { LogFileName: name, LastWritten: written = 0 } of page.DescribeDBLogFiles ?? [])
      if (name?.startsWith('error/postgresql.log') === true && written >= from.getTime()) found.push({ name, written });
    marker = page.Marker;
  } while (marker !== undefined && marker !== '');
  return found.toSorted((one, other) => other.written - one.written).map(({ name }) => name);
}

/** A file is called after the hour that it begins with, in UTC: `error/postgresql.log.2026-11-21-18`. */
function beginsAfter(name: string, moment: Date): boolean {
  const [, day, hour] = /\.(\d{4}-\d\d-\d\d)-(\d\d)(?:\d\d)?$/.exec(name) ?? [];
  return day !== undefined && hour !== undefined && new Date(`${day}T${hour}:00:00Z`) > moment;
}

/** undefined: longer than that. */
async function wholeFile(rds: Rds, database: string, LogFileName: string, atMost: number): Promise<string | undefined> {
  const { region, instance } = entryOf(rds, database);
  let text = '';
  let Marker = '0';
  for (;;) {
    const input = { DBInstanceIdentifier: instance, LogFileName, Marker };
    const part = await rds.aws.call(region, 'rds:DownloadDBLogFilePortion', input, instance);
    text += part.LogFileData ?? '';
    if (text.length > atMost) return undefined;
    if (part.AdditionalDataPending !== true || part.Marker === undefined || part.Marker === Marker) return text;
    ({ Marker } = part);
  }
}

/** A line that begins otherwise goes on what the one before it has begun. */
function linesOf(text: string, dbname: string): string {
  let ours = true;
  const lines = text.split('\n').filter((line) => {
    const [begun, database] = begins.exec(line) ?? [];
    if (begun !== undefined) ours = database === dbname;
    return ours;
  });
  return lines.join('\n');
}
