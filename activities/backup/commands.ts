import { Failure } from '../../domain/failure.ts';
import type { BackupFacts } from '../providers/backup-facts.ts';
import * as rds from '../providers/rds/commands.ts';
import type { BackupCommands } from './contract.ts';

const byProvider: Readonly<Record<string, BackupCommands>> = { rds };

/** Those of the provider that the facts were taken from. */
export function backupCommands(facts: BackupFacts): BackupCommands {
  const found = byProvider[facts.binding.provider];
  if (!found) throw new Failure('internal', `nothing is planned for the provider ${facts.binding.provider}`);
  return found;
}
