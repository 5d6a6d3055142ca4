import type { Settings } from '../../postgres.ts';
import type { Instance } from '../rds/model.ts';
import type { Folders } from './folders.ts';

/** Small and fast for a rehearsal: a kill of processes loses nothing without fsync, only a crash of the machine does. */
const small = {
  shared_buffers: '16MB',
  fsync: 'off',
  max_wal_size: '1GB',
  max_wal_senders: 20,
  max_replication_slots: 20,
  wal_keep_size: '128MB',
};

const asAtAws = { log_line_prefix: '%t:%r:%u@%d:[%p]:', log_timezone: 'UTC', timezone: 'UTC', wal_level: 'replica' };

/** What the cluster of an instance is started with: its parameters, and what AWS does not leave to anybody. */
export function settingsOf(folders: Folders, instance: Instance): Settings {
  return {
    ...small,
    ...asAtAws,
    ssl: 'on',
    ...instance.applied,
    ...(isOn(instance, 'rds.logical_replication') ? { wal_level: 'logical' } : {}),
    hba_file: folders.access(instance),
    ssl_cert_file: folders.certificate(instance),
    ssl_key_file: folders.certificate(instance),
    archive_mode: 'on',
    archive_command: instance.retention > 0 ? archiveCommand(folders.archive(instance.resourceId)) : 'true',
  };
}

/** Whether a parameter of AWS's own is in effect and on. */
export function isOn({ applied }: Instance, parameter: string): boolean {
  return ['1', 'on', 'true'].includes(applied[parameter] ?? '');
}

/** By a name of its own and a rename, so that what stands in the archive is whole. */
function archiveCommand(archive: string): string {
  // A piece that was ended early is filled with zeros, which need no room.
  const sparse = process.platform === 'linux' ? '--sparse=always ' : '';
  return `cp ${sparse}"%p" "${archive}/.%f.new" && mv "${archive}/.%f.new" "${archive}/%f"`;
}

/** Recovery from that archive to that moment, and then on as a database of its own. */
export function recoverySettings(archive: string, target: Date): Settings {
  return {
    restore_command: `cp "${archive}/%f" "%p"`,
    // It takes no T and no Z.
    recovery_target_time: target.toISOString().replace('T', ' ').replace('Z', '+00'),
    recovery_target_action: 'promote',
    // Else it would insist on as many connections as the source allowed.
    hot_standby: 'off',
  };
}
