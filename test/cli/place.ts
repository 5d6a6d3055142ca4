import type { ApiTest } from '../api/place.ts';
import { createProgram, runProgram } from '../../cli/program.ts';
import type { World } from '../../cli/world.ts';

export interface CliTest {
  /** Exit code, stdout and stderr of one command. */
  run(...argv: string[]): Promise<{ code: number; out: string; err: string }>;
}

/** The command line without a process: `wait` is where a test makes the world go on. */
export function cliTest(options: Partial<Pick<World, 'environment' | 'tty' | 'confirm' | 'wait' | 'now'>> = {}): CliTest {
  return {
    run: async (...argv) => {
      const said = { out: '', err: '', bad: false };
      const world: World = {
        environment: {},
        tty: false,
        size: () => ({ columns: 100, rows: 40 }),
        confirm: () => Promise.reject(new Error('nobody is there to ask')),
        now: Date.now,
        wait: () => Promise.resolve(),
        ...options,
        out: (text) => void (said.out += text),
        err: (text) => void (said.err += text),
        bad: () => void (said.bad = true),
      };
      const code = await runProgram(createProgram(world, []), argv, world);
      return { code: code === 0 && said.bad ? 1 : code, out: said.out, err: said.err };
    },
  };
}

/** The command line as this person, with the test's API behind an address. */
export async function served(api: ApiTest, person: string, more: Parameters<typeof cliTest>[0] = {}): Promise<CliTest> {
  const address = api.app.server.listening ? `http://127.0.0.1:${addressOf(api)}` : await api.app.listen({ port: 0, host: '127.0.0.1' });
  return cliTest({ environment: { STEADYHAND_API_URL: address, STEADYHAND_TOKEN: await api.tokenOf(person) }, ...more });
}

function addressOf(api: ApiTest): number {
  const address = api.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
}
