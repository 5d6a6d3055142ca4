import { readFile, stat } from 'node:fs/promises';
import { AwsError } from '../aws-error.ts';
import { foldersOf } from '../clusters/folders.ts';
import type { Call } from '../place.ts';
import { list, type Xml } from '../xml.ts';
import type { Instance } from './model.ts';
import { instanceOf } from './names.ts';

/** AWS has a file an hour; here it is one. */
const name = 'error/postgresql.log';

export async function describeDBLogFiles({ place, rds, query }: Call): Promise<Xml> {
  const file = logFile(place.directory, instanceOf(rds, query.required('DBInstanceIdentifier')));
  const found = await stat(file).catch(() => undefined);
  const files = found ? [{ LogFileName: name, LastWritten: Math.floor(found.mtimeMs), Size: found.size }] : [];
  return { DescribeDBLogFiles: list('DescribeDBLogFilesDetails', files) };
}

/** At most a megabyte from the marker (an offset) on; without one the last megabyte, or the last lines. */
export async function downloadDBLogFilePortion({ place, rds, query }: Call): Promise<Xml> {
  const instance = instanceOf(rds, query.required('DBInstanceIdentifier'));
  if (query.required('LogFileName') !== name) throw new AwsError('DBLogFileNotFoundFault', 'LogFileName not found', 404);
  const text = await readFile(logFile(place.directory, instance));
  const lines = query.whole('NumberOfLines');
  const marker = query.text('Marker');
  const from = marker === undefined ? Math.max(0, text.length - portion) : Number(marker);
  const part = text.subarray(from, from + portion);
  const shown =
    marker === undefined && lines !== undefined
      ? part
          .toString('utf8')
          .split('\n')
          .slice(-lines - 1)
          .join('\n')
      : part.toString('utf8');
  return { LogFileData: shown, Marker: String(from + part.length), AdditionalDataPending: from + part.length < text.length };
}

const portion = 1_000_000;

function logFile(directory: string, instance: Instance): string {
  return foldersOf(directory).logFile(`${instance.resourceId}-${instance.writer}`);
}
