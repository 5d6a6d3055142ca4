import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SandboxConfiguration } from '../../sandbox/configuration.ts';
import { temporalProgram } from '../../sandbox/temporal-program.ts';
import { ownFolder } from './support.ts';

let folder: Awaited<ReturnType<typeof ownFolder>>;
let logged: string[];
beforeEach(async () => {
  folder = await ownFolder();
  logged = [];
});
afterEach(() => folder.remove());

const nobodyListens = 'http://127.0.0.1:9';
const fakeTemporal = '#!/bin/sh\necho temporal version 1.5.1\n';

function program(path: string, text: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

function configuration(own: Partial<SandboxConfiguration> = {}): SandboxConfiguration {
  const cache = join(folder.path, 'cache');
  return { cache, state: folder.path, temporalCli: undefined, path: [], environment: { PATH: '/usr/bin:/bin' }, ...own };
}

async function find(own: Partial<SandboxConfiguration>, downloadFrom = nobodyListens): Promise<string> {
  return await temporalProgram({ configuration: configuration(own), log: (line) => logged.push(line), downloadFrom });
}

describe('the Temporal program', () => {
  it('is the one of TEMPORAL_CLI_PATH before all others, and nothing else when that is wrong', async () => {
    const named = program(join(folder.path, 'named/temporal'), fakeTemporal);
    program(join(folder.path, 'bin/temporal'), fakeTemporal);
    expect(await find({ temporalCli: named, path: [join(folder.path, 'bin')] })).toBe(named);
    await expect(find({ temporalCli: '/nowhere/temporal', path: [join(folder.path, 'bin')] })).rejects.toMatchObject({
      code: 'tool-missing',
    });
  });

  it('is the one of PATH before the one of the cache', async () => {
    const cached = program(join(folder.path, 'cache/temporal-1.5.1/temporal'), fakeTemporal);
    expect(await find({})).toBe(cached);
    const onPath = program(join(folder.path, 'bin/temporal'), fakeTemporal);
    expect(await find({ path: [join(folder.path, 'bin')] })).toBe(onPath);
    expect(logged).toEqual([]);
  });

  it('is downloaded into the cache', async () => {
    program(join(folder.path, 'archive/temporal'), fakeTemporal);
    execFileSync('tar', ['-czf', join(folder.path, 'archive.tar.gz'), '-C', join(folder.path, 'archive'), 'temporal']);
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end(readFileSync(join(folder.path, 'archive.tar.gz')));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // A listening TCP server has an address of this form.
    const { port } = server.address() as AddressInfo;
    try {
      const found = await find({}, `http://127.0.0.1:${port}`);
      expect(found).toBe(join(folder.path, 'cache/temporal-1.5.1/temporal'));
      expect(readFileSync(found, 'utf8')).toBe(fakeTemporal);
      expect(asked[0]).toContain(`/cli/archive/v1.5.1?platform=${process.platform}&arch=`);
    } finally {
      server.close();
    }
  });

  it('is built with Go where the download fails, and the log says so', async () => {
    const go = `#!/bin/sh\n[ "$1 $2" = "install github.com/temporalio/cli/cmd/temporal@v1.5.1" ] || exit 3\nprintf '#!/bin/sh\\necho 1.5.1\\n' > "$GOBIN/temporal"\n`;
    program(join(folder.path, 'bin/go'), go);
    expect(await find({ path: [join(folder.path, 'bin')] })).toBe(join(folder.path, 'cache/temporal-1.5.1/temporal'));
    expect(logged.join('\n')).toMatch(
      /the download failed[\s\S]*Building the Temporal server with Go: some minutes, once[\s\S]*Made the Temporal server 1\.5\.1 in/,
    );
  });

  it('that is brought but does not run is not kept', async () => {
    program(join(folder.path, 'bin/go'), `#!/bin/sh\nprintf '#!/bin/sh\\nexit 1\\n' > "$GOBIN/temporal"\n`);
    await expect(find({ path: [join(folder.path, 'bin')] })).rejects.toMatchObject({ code: 'tool-missing' });
    expect(existsSync(join(folder.path, 'cache/temporal-1.5.1'))).toBe(false);
  });
});
