import { loginlessWriters } from '../loginless-writers.ts';
import { blocks, listed, warns, type Check, type Found } from './view.ts';

/** They would go on writing on the old side: it is closed to who logs in, and these do not. */
export const writersWithoutLogin: Check = {
  name: 'writers without a login',
  look: async ({ servers, source, migration }) => {
    const { writers, unseen } = await loginlessWriters({ servers, database: migration.source, session: source });
    const found: Found[] = unseen.map((one) => warns(`could not be looked at: ${one}`, 'Make sure that none writes into this database.'));
    if (writers.length > 0)
      found.push(
        blocks(
          `these write into ${migration.source} without a login, so nothing would keep them out of the old side after the switch: ${listed(
            writers.map(({ what }) => what),
            'writers',
          )}`,
          `On ${migration.source}: ${writers.map(({ fix }) => fix).join('; ')}. After the switch make them again on ${migration.target}:` +
            ' docs/migration-cutover.md says how, for a subscription without losing a row.',
        ),
      );
    return found;
  },
};
