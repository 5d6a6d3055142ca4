import { fileURLToPath } from 'node:url';
import { controlAddresses } from './control-database.ts';
import type { Layout } from './layout.ts';
import type { Servers } from './servers.ts';

/** What the sandbox's API, worker and commands are told. Passwords stay in files. */
export function environmentOf(layout: Layout, servers: Servers, apiPort: number): Record<string, string> {
  const control = controlAddresses(servers.control);
  return {
    STEADYHAND_SANDBOX: layout.directory,
    STEADYHAND_INVENTORY: layout.inventory,
    STEADYHAND_CONTROL_URL: control.application,
    STEADYHAND_CONTROL_PASSWORD_FILE: layout.secretFile('steadyhand_app'),
    STEADYHAND_CONTROL_OWNER_URL: control.owner,
    STEADYHAND_CONTROL_OWNER_PASSWORD_FILE: layout.secretFile('steadyhand_owner'),
    STEADYHAND_API_HOST: '127.0.0.1',
    STEADYHAND_API_PORT: String(apiPort),
    STEADYHAND_API_URL: `http://127.0.0.1:${apiPort}`,
    TEMPORAL_ADDRESS: servers.temporal.address,
    TEMPORAL_NAMESPACE: servers.temporal.namespace,
  };
}

const commandLine = fileURLToPath(new URL('../bin/steadyhand.js', import.meta.url));

/** Lines for a shell: `. <file>` exports them, and makes `steadyhand` a command, so that what the commands say can be copied. */
export function shellLines(environment: Readonly<Record<string, string>>): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const exports = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  return `${exports.join('')}steadyhand() { node ${quote(commandLine)} "$@"; }\n`;
}

/** Part → where it is to be reached, for people. */
export function addressesOf(servers: Servers, environment: Readonly<Record<string, string>>): Record<string, string> {
  const clusters = [servers.source, servers.target, servers.control].map((one) => [one.name, `${one.host}:${one.port}`]);
  const pooler = servers.pgbouncer ? [['pgbouncer', `${servers.pgbouncer.host}:${servers.pgbouncer.port}`]] : [];
  const api = environment['STEADYHAND_API_URL'];
  const entries = [
    ['temporal', `${servers.temporal.address}, web page ${servers.temporal.ui}`],
    ...clusters,
    ...pooler,
    ...(api === undefined ? [] : [['api', api]]),
  ];
  return Object.fromEntries(entries);
}
