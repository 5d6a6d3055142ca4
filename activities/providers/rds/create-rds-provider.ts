import { against, type FactFinding } from '../../../domain/finding.ts';
import type { Aws } from '../../aws/aws.ts';
import type { Servers } from '../../postgres/session.ts';
import { describe } from '../describe.ts';
import type { Provider } from '../provider.ts';
import { applySettings, compareSettings, setMainPassword } from './apply-settings.ts';
import { freeStorage } from './free-storage.ts';
import { kit, noOtherRegion } from './checks.ts';
import { inspect } from './inspect.ts';
import { inspectOld } from './inspect-old.ts';
import { readLog } from './logs.ts';
import { entryOf, instanceOf, type Pace, type Rds } from './look.ts';
import { closeRestored, openRestored } from './open-restored.ts';
import { listOwned } from './owned.ts';
import { removeCopies } from './remove-copies.ts';
import { deleteInstance, deleteRestored } from './remove.ts';
import { awaitRoom } from './room.ts';
import { awaitAvailable, awaitReady, awaitRestorable, find, restoreFromSnapshot, restoreToPointInTime } from './restore.ts';
import {
  awaitLast,
  awaitSnapshot,
  copySnapshot,
  createSnapshot,
  deleteCopy,
  deleteSnapshot,
  listBackups,
  listCopies,
} from './snapshots.ts';
import { awaitNamed, nameRestoredBack, nameSourceBack, renameRestored, renameSource } from './swap.ts';
import { windowOf } from './window.ts';

/** Milliseconds between two looks, at most, of a wait while traffic is held up. */
const heldAgainMs = 2_000;

/** As RDS goes: its states take minutes, and what was just made may not be seen for up to one. */
export const paceOfAws: Pace = { lookAgainMs: 10_000, graceMs: 60_000 };

/** PostgreSQL that AWS runs: SQL for what the database is, calls to RDS for the instance around it. */
export function createRdsProvider(servers: Servers, aws: Aws, pace: Pace = paceOfAws): Provider {
  const rds: Rds = { servers, aws, pace };
  // While names are exchanged nobody can write.
  const held: Rds = { ...rds, pace: { ...pace, lookAgainMs: Math.min(pace.lookAgainMs, heldAgainMs) } };
  const verbOf =
    (looking: Rds) =>
    <Rest extends unknown[], Result>(act: (rds: Rds, ...rest: Rest) => Promise<Result>) =>
    async (...rest: Rest): Promise<Result> =>
      await act(looking, ...rest);
  const verb = verbOf(rds);
  const whileHeld = verbOf(held);
  return {
    name: 'rds',
    ownRoles: '^rds',
    describe: async (database) => await describe(servers, database),
    backup: {
      createSnapshot: verb(createSnapshot),
      awaitSnapshot: verb(awaitSnapshot),
      listBackups: verb(listBackups),
      deleteSnapshot: verb(deleteSnapshot),
    },
    restore: {
      window: async (database) => {
        const { region, instance } = entryOf(rds, database);
        const seen = await instanceOf(rds, region, instance);
        return seen ? await windowOf(rds, region, seen) : null;
      },
      inspect: verb(inspect),
      awaitRestorable: verb(awaitRestorable),
      awaitReady: verb(awaitReady),
      restoreToPointInTime: verb(restoreToPointInTime),
      restoreFromSnapshot: verb(restoreFromSnapshot),
      awaitAvailable: verb(awaitAvailable),
      find: verb(find),
    },
    copy: {
      kit: async (database) => await kitOf(rds, database),
      awaitRoom: verb(awaitRoom),
      copySnapshot: verb(copySnapshot),
      listCopies: verb(listCopies),
      deleteCopy: verb(deleteCopy),
      removeCopies: verb(removeCopies),
    },
    remove: {
      inspectOld: verb(inspectOld),
      deleteRestored: verb(deleteRestored),
      deleteInstance: verb(deleteInstance),
      awaitLast: verb(awaitLast),
    },
    swap: {
      renameSource: whileHeld(renameSource),
      nameSourceBack: whileHeld(nameSourceBack),
      renameRestored: whileHeld(renameRestored),
      nameRestoredBack: whileHeld(nameRestoredBack),
      openRestored: whileHeld(openRestored),
      closeRestored: whileHeld(closeRestored),
      awaitNamed: whileHeld(awaitNamed),
    },
    settings: { applySettings: verb(applySettings), setMainPassword: verb(setMainPassword), compareSettings: verb(compareSettings) },
    storage: { freeStorage: verb(freeStorage) },
    owned: { list: verb(listOwned) },
    logs: { read: (database, time) => readLog(rds, database, time) },
  };
}

async function kitOf(rds: Rds, database: string): Promise<readonly FactFinding[]> {
  const { region, instance, dr } = entryOf(rds, database);
  if (!dr) return [noOtherRegion(database)];
  const seen = await instanceOf(rds, region, instance);
  if (!seen) return [against('instance', `there is no instance "${instance}" in ${region}`, 'Correct the inventory.')];
  return await kit(rds, dr, seen);
}
