import { postgresBinaries } from '../../sandbox/postgres-binaries.ts';
import { programsOfAws } from '../../sandbox/aws/clusters/programs-of-aws.ts';

/** A process that brings all of PostgreSQL's programs to the cache of its argument, twice at once, for tests of several of its kind. */
const cache = process.argv[2];
if (cache === undefined) throw new Error('the folder is missing');
await Promise.all(([16, 18, 16, 18] as const).map(async (major) => await programsOfAws(await postgresBinaries(major, cache))));
